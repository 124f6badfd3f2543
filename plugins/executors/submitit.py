"""Executor ``submitit``: jobs of a Slurm cluster, in arrays, or of submitit's local processes."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recmerge_bench.api import ExecutorDefinition, ExecutorSpec, HandledError, Spec, hookimpl

#: Seconds between two looks at files of events, and at the queue.
LOOK, ASK = 0.1, 5.0
#: Minutes of a job beyond those of its cells: for imports, and for their ends.
SLACK = 5
#: Files of a batch.
JOBS, EVENTS, SUBMITTED = "jobs.json", "events.jsonl", "submitted.json"
_ENDS = ("done", "busy", "blocked", "failed")


@dataclass(frozen=True)
class Options:
    """Which cluster, and what its jobs ask for.

    Attributes:
        cluster: ``slurm``, ``local`` (processes here) or ``debug`` (one after another, in this
            process); ``auto``: Slurm where it is there, else local.
        partition: of Slurm; empty: its default. So are the next three.
        account: that pays.
        qos: quality of service.
        constraint: features of nodes.
        parallelism: jobs of an array that run at a time; of ``local``, 0 or more than that are as
            many as cores allow.
        slots: cells in the queue at a time, where ``--jobs`` does not say it.
        minutes: time limit of a job; 0: the sum of its cells' limits.
        memory: GB that a job asks for where it is not known what its cells take; 0: the default.
        small: seconds; cells that are estimated to take less share jobs.
        batch: how many of these at most in one.
        requeues: how often a job that reaches its time limit, or is preempted, goes on later.
        setup: shell commands before a job starts, such as ``module load cuda``.
    """

    cluster: str = "auto"
    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    parallelism: int = 256
    slots: int = 1000
    minutes: int = 0
    memory: float = 0.0
    small: float = 30.0
    batch: int = 32
    requeues: int = 10
    setup: tuple[str, ...] = ()


class RunBatch:
    """What a cluster's job does: it runs the jobs of a file; after a requeue it goes on."""

    def __call__(self, job_file: str, events_file: str) -> int:
        """The runner's exit status."""
        from recmerge_bench.toolkit.workers import run_files_below

        return run_files_below(Path(job_file), Path(events_file))

    def checkpoint(self, job_file: str, events_file: str) -> Any:
        """Cells keep their own state: the same again is to go on."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, job_file, events_file)


@dataclass
class Batch:
    """Cells that share a job of the cluster.

    Attributes:
        folder: of its files.
        keys: of its cells that have not ended.
        jobs: of those cells; empty where an earlier client handed them in.
        job: submitit's; None: it waits for a free process here.
        position: bytes of its events that were read.
    """

    folder: Path
    keys: set[str]
    jobs: Sequence[Mapping[str, Any]] = ()
    job: Any = None
    position: int = field(default=0)

    def read(self) -> list[dict[str, Any]]:
        """Events that were appended since, whole lines of them."""
        try:
            with open(self.folder / EVENTS, "rb") as file:
                file.seek(self.position)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.position += len(whole)
        events = filter(None, map(_event, whole.splitlines()))
        mine = [event for event in events if event.get("key") in self.keys]
        self.keys -= {event["key"] for event in mine if event["event"] in _ENDS}
        return mine

    def has_ended(self) -> bool:
        """Whether each cell that it was submitted with has told its end.

        Its job may be in the queue again all the same: Slurm requeues one whose last cell ends
        between the order and the kill.
        """
        jobs = json.loads((self.folder / JOBS).read_text(encoding="utf-8"))
        whole = Batch(self.folder, {job["key"] for job in jobs})
        whole.read()
        return not whole.keys


class SubmititExecutor(ExecutorDefinition):
    """Cells as jobs of a cluster: of one shape in an array, small ones several to a job.

    The cluster's nodes have the package, and the store's folder, as here. Jobs outlive the client:
    the next run attaches to those that still wait or run.
    """

    Options = Options

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """See which cluster there is; nothing is submitted before the first job.

        Raises:
            HandledError: Slurm is asked for and not there; an unknown cluster.
        """
        known = ("auto", "slurm", "local", "debug")
        if self.options.cluster not in known:
            raise HandledError(f"executor.cluster is one of {', '.join(known)}")
        has_slurm = shutil.which("srun") is not None
        self.cluster = self.options.cluster
        if self.cluster == "auto":
            self.cluster = "slurm" if has_slurm else "local"
        if self.cluster == "slurm" and not has_slurm:
            raise HandledError(
                "no Slurm here (srun is not on the PATH): --set executor.cluster=local"
            )
        self.slots = jobs or self.options.slots
        self.width = self._width(jobs, threads)
        self.log, self.folder = log / "submitit", log.parent / "queue"
        self.pending: list[Mapping[str, Any]] = []
        self.batches: list[Batch] = []
        self.spent: list[Batch] = []
        self.mine: set[str] = set()
        self.ending: list[subprocess.Popen[bytes]] = []
        self.asked = 0.0

    def _width(self, jobs: int | None, threads: int) -> int:
        """Jobs of the cluster at a time."""
        if self.cluster == "slurm":
            return self.options.parallelism
        if self.cluster == "debug":
            return 1
        has = getattr(os, "sched_getaffinity", None)
        cores = len(has(0)) if has else os.cpu_count() or 1
        return jobs or min(max(1, cores // threads), self.options.parallelism or cores)

    def free(self) -> int:
        """Slots without a cell."""
        return max(0, self.slots - len(self.pending) - sum(len(b.keys) for b in self.batches))

    def submit(self, job: Mapping[str, Any]) -> None:
        """Note the job: what comes together goes to the cluster together, in `events`."""
        self.pending.append(job)

    def attach(self, keys: Collection[str]) -> set[str]:
        """Cells of batches that an earlier client submitted and whose jobs wait or run."""
        has: set[str] = set()
        for folder in sorted(self.folder.glob("*")):
            batch = self._earlier(folder, set(keys) - has)
            if batch is None or self._gone([batch]):
                shutil.rmtree(folder, ignore_errors=True)
            elif batch.has_ended():
                self.spent.append(batch)
            elif batch.keys:
                self.batches.append(batch)
                self.mine.add(batch.job.job_id)
                has |= batch.keys
        return has

    def _earlier(self, folder: Path, keys: set[str]) -> Batch | None:
        """A batch of an earlier client; None where it was not submitted."""
        try:
            jobs = json.loads((folder / JOBS).read_text(encoding="utf-8"))
            facts = json.loads((folder / SUBMITTED).read_text(encoding="utf-8"))
            if facts["cluster"] != self.cluster or self.cluster == "debug":
                return None
            job = _job_class(self.cluster)(folder=facts["logs"], job_id=facts["job"])
            return Batch(folder, {j["key"] for j in jobs} & keys, job=job)
        except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged
            return None

    # -- handing in ----------------------------------------------------------------------------

    def _hand_in(self) -> None:
        """Submit what was noted, as far as there are processes for it."""
        for shape, jobs in _by_shape(self.pending, self.options).items():
            for together in self._batches(jobs, small=shape[-1]):
                folder = self.folder / uuid.uuid4().hex[:16]
                self.batches.append(Batch(folder, {j["key"] for j in together}, together))
        self.pending.clear()
        waiting = [b for b in self.batches if b.job is None]
        if self.cluster != "slurm":
            running = sum(b.job is not None for b in self.batches)
            waiting = waiting[: max(0, self.width - running)]
        for _, some in _by_size(waiting).items():
            self._submit(some)

    def _batches(
        self, jobs: list[Mapping[str, Any]], small: bool
    ) -> Iterator[list[Mapping[str, Any]]]:
        """Jobs that share one of the cluster: the small ones, yet no node waits for the others."""
        size = min(self.options.batch, math.ceil(len(jobs) / self.width)) if small else 1
        for start in range(0, len(jobs), max(1, size)):
            yield jobs[start : start + max(1, size)]

    def _submit(self, batches: list[Batch]) -> None:
        """Submit batches of one shape, as an array."""
        import submitit

        executor = submitit.AutoExecutor(
            folder=self.log / "%j",
            cluster=self.cluster,
            slurm_max_num_timeout=self.options.requeues,
        )
        executor.update_parameters(**self._parameters(batches[0].jobs))
        for batch in batches:
            batch.folder.mkdir(parents=True, exist_ok=True)
            _write(batch.folder / JOBS, [dict(job) for job in batch.jobs])
        with executor.batch():
            handed = [
                executor.submit(RunBatch(), str(b.folder / JOBS), str(b.folder / EVENTS))
                for b in batches
            ]
        for batch, job in zip(batches, handed, strict=True):
            batch.job = job
            self.mine.add(job.job_id)
            facts = {"job": job.job_id, "cluster": self.cluster, "logs": str(self.log / "%j")}
            _write(batch.folder / SUBMITTED, facts)
            if self.cluster == "debug":
                job.results()

    def _parameters(self, jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What a job asks the cluster for."""
        own, asked = self.options, jobs[0]["resources"]
        memory = max(j["resources"]["memory"] or 0 for j in jobs) * 1.25 / 1e9 or own.memory
        minutes = own.minutes or math.ceil(sum(j["timeout"] for j in jobs) / 60) + SLACK
        given: dict[str, Any] = {
            "name": "recmerge-bench", "timeout_min": minutes, "cpus_per_task": asked["threads"],
            "gpus_per_node": asked["gpus"] or None, "mem_gb": memory or None,
            "stderr_to_stdout": True,
        }  # fmt: skip
        if self.cluster == "slurm":
            names = ("partition", "account", "qos", "constraint")
            given |= {f"slurm_{name}": getattr(own, name) or None for name in names}
            given |= {"slurm_array_parallelism": own.parallelism or None}
            given |= {"slurm_setup": list(own.setup) or None}
        return {name: value for name, value in given.items() if value is not None}

    # -- what happened -------------------------------------------------------------------------

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """What the jobs wrote, and which of them are gone without a word."""
        self._hand_in()
        end = time.monotonic() + timeout
        while not (events := self._read()) and time.monotonic() < end:
            time.sleep(LOOK)
        return events

    def _read(self) -> list[dict[str, Any]]:
        events = [event for batch in self.batches for event in batch.read()]
        for batch in [b for b in self.batches if not b.keys]:
            self._forget(batch)
        if events or time.monotonic() - self.asked < (ASK if self.cluster == "slurm" else 1.0):
            return events
        self.asked = time.monotonic()
        for batch in self._gone([b for b in self.batches if b.job is not None]):
            events += batch.read()  # its last words
            why = f"its {self.cluster} job {batch.job.job_id} is gone; see {self.log}"
            events += [
                {"event": "failed", "key": key, "error": why, "lost": True} for key in batch.keys
            ]
            batch.keys.clear()
            self._forget(batch)
        return events

    def _forget(self, batch: Batch) -> None:
        self.batches.remove(batch)
        self.ending = [p for p in self.ending if p.poll() is None] + _processes([batch])
        shutil.rmtree(batch.folder, ignore_errors=True)

    def _gone(self, batches: list[Batch]) -> list[Batch]:
        """Those whose jobs neither wait nor run."""
        if self.cluster == "slurm":
            queued = _queued([b.job.job_id for b in batches])
            return [] if queued is None else [b for b in batches if b.job.job_id not in queued]
        if self.cluster == "debug":
            return [b for b in batches if b.job.state == "DONE"]
        return [b for b in batches if not _is_process(b.job)]

    def close(self) -> None:
        """Cancel what waits or runs."""
        if not hasattr(self, "batches"):
            return
        for batch in self.batches:
            if batch.job is not None:
                with suppress(Exception):
                    batch.job.cancel(check=False)
            shutil.rmtree(batch.folder, ignore_errors=True)
        for process in self.ending + _processes(self.batches):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        if self.cluster == "slurm":  # requeued after their last cell: nothing is left for them
            over = self.mine | {batch.job.job_id for batch in self.spent}
            for number in (_queued(["all"], "PENDING") or set()) & over:
                subprocess.run(["scancel", number], capture_output=True, timeout=60)
        for batch in self.spent:
            shutil.rmtree(batch.folder, ignore_errors=True)
        self.batches, self.ending, self.spent = [], [], []


def _by_shape(
    jobs: Sequence[Mapping[str, Any]], options: Options
) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Jobs that ask for the same, small ones apart: threads, GPUs, memory (to the next power of
    two), time limit, whether they are small."""
    shapes: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for job in jobs:
        asked = job["resources"]
        memory = (asked["memory"] or 0).bit_length()
        small = job["cost"] < options.small
        shape = (asked["threads"], asked["gpus"], memory, job["timeout"], small)
        shapes.setdefault(shape, []).append(job)
    return shapes


def _by_size(batches: list[Batch]) -> dict[tuple[Any, ...], list[Batch]]:
    """Batches that one array can hold: of one shape and as many cells."""
    arrays: dict[tuple[Any, ...], list[Batch]] = {}
    for batch in batches:
        job, asked = batch.jobs[0], batch.jobs[0]["resources"]
        memory = (asked["memory"] or 0).bit_length()
        size = (asked["threads"], asked["gpus"], memory, job["timeout"], len(batch.jobs))
        arrays.setdefault(size, []).append(batch)
    return arrays


def _event(line: bytes) -> dict[str, Any] | None:
    """An event of a line; None: it is none, such as one that was cut off or damaged."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    known = isinstance(event, dict) and isinstance(event.get("event"), str)
    return event if known and isinstance(event.get("key"), str) else None


def _job_class(cluster: str) -> Any:
    from submitit.local.local import LocalJob
    from submitit.slurm.slurm import SlurmJob

    return SlurmJob if cluster == "slurm" else LocalJob


def _queued(jobs: list[str], states: str = "") -> set[str] | None:
    """Slurm's jobs that wait or run (or are in these states); None where it does not answer."""
    if not jobs:
        return set()
    command = ["squeue", "--noheader", "--array", "--me", "--format=%i"]
    command += [f"--states={states}"] if states else []
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return set(answer.stdout.split()) if answer.returncode == 0 else None


def _processes(batches: Sequence[Batch]) -> list[subprocess.Popen[bytes]]:
    """Processes of local jobs of this client."""
    own = (getattr(batch.job, "_process", None) for batch in batches)
    return [process for process in own if process is not None]


def _is_process(job: Any) -> bool:
    """Whether the process of a local job runs, of this client or of one before."""
    process = getattr(job, "_process", None)
    if process is not None:
        return process.poll() is None
    try:
        return b"submitit" in Path(f"/proc/{job.job_id}/cmdline").read_bytes()
    except OSError:
        return False


def _write(file: Path, value: Any) -> None:
    """Whole or not there."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(value), encoding="utf-8")
    os.replace(part, file)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``submitit``."""
    return [
        ExecutorSpec(
            "submitit",
            f"{__name__}:SubmititExecutor",
            "Jobs of a Slurm cluster, in arrays, or of submitit's local processes",
            requires=("submitit",),
        )
    ]
