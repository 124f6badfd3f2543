"""What every executor has to do, tried with jobs that end well and jobs that do not."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.conformance import executor_jobs as jobs
from recmerge_bench.conformance.executor_jobs import job_of, key_of
from recmerge_bench.conformance.requirement import Unmet, Untried, requirement
from recmerge_bench.conformance.state import changes
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.processes.words import ENDS
from recmerge_bench.running.store import RECORD, Store

#: Seconds until a job has to have ended, and until what it left has to be gone.
PATIENCE, GONE = 120.0, 10.0
#: Job -> what it loads, and how it may end.
_JOBS: Mapping[str, tuple[type[jobs.TinyDataset], str]] = {
    "good": (jobs.TinyDataset, "done"), "failing": (jobs.FailingDataset, "failed"),
    "dying": (jobs.DyingDataset, "failed"), "killed": (jobs.KilledDataset, "failed"),
    "hanging": (jobs.HangingDataset, "failed"), "forking": (jobs.ForkingDataset, "done"),
    "eating": (jobs.EatingDataset, "failed"),
}  # fmt: skip


@dataclass
class ExecutorSubject(Subject):
    """An executor under test.

    Attributes:
        events: of all jobs so far, by key.
    """

    events: dict[str, dict[str, Any]] = field(default_factory=dict, kw_only=True)

    def ran(self) -> Mapping[str, Any]:
        """What became of the jobs, one after another: made once."""
        if "ran" not in self.kept:
            with changes() as changed, TemporaryDirectory() as folder:
                self.kept["ran"] = self._run(Path(folder))
            self.kept["changed"] = changed
        ran: Mapping[str, Any] = self.kept["ran"]
        return ran

    def _run(self, folder: Path) -> dict[str, Any]:
        executor = CheckedExecutor(self.definition)
        executor.open(1, 1, folder / "log")
        facts: dict[str, Any] = {"free": executor.free()}
        try:
            for name, (kind, _) in _JOBS.items():
                limit = jobs.LIMIT if name == "hanging" else 60.0
                job = job_of(name, kind, folder, limit)
                executor.submit(job)
                facts[f"free during {name}"] = executor.free()
                facts[name] = _end(executor, job["key"])
            facts["free after"] = executor.free()
            facts["stored"] = Store(folder / "out").sound(key_of("good"))
            facts["daemon"] = _daemon(folder)
            facts["twice"] = _twice(executor, folder)
            facts["late"] = _late(executor, folder)
            facts["orphaned"] = _orphaned(executor, folder)
        finally:
            executor.close()
        return facts

    def outputs(self) -> dict[str, np.ndarray]:
        """How the jobs ended."""
        ran = self.ran()
        return {name: np.array([ran[name]["event"] == "done"]) for name in _JOBS}


def _end(
    executor: CheckedExecutor, key: str, look: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """The event that ends a job; `look` is called again and again until then."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for event in executor.events(0.5):
            if event["key"] == key and event["event"] in ENDS:
                return event
        look()
    return {"event": "nothing", "key": key}


def _daemon(folder: Path) -> str:
    """What is left of the process that the forking job started: empty where nothing is."""
    if not (folder / "daemon").is_file():
        return "it was never started"
    pid = int((folder / "daemon").read_text())
    deadline = time.monotonic() + GONE
    while _alive(pid):
        if time.monotonic() > deadline:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            return f"its process {pid} still ran {GONE:.0f} s later"
        time.sleep(0.05)
    return ""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _twice(executor: CheckedExecutor, folder: Path) -> str:
    """What is wrong with how the good job ended that was handed in a second time."""
    record = Store(folder / "out").folder(key_of("good")) / RECORD
    if not record.is_file():
        return "there was no result the first time"
    before = record.read_bytes(), record.stat().st_mtime_ns
    executor.submit(job_of("good", jobs.TinyDataset, folder))
    event = _end(executor, key_of("good"))
    if event["event"] != "done":
        return f"it ended as '{event['event']}' {event.get('error', '')}, not as 'done'"
    after = record.read_bytes(), record.stat().st_mtime_ns
    return "" if before == after else "its result was written again"


def _late(executor: CheckedExecutor, folder: Path) -> str:
    """What is wrong with how a job ended whose cell was taken over meanwhile."""
    executor.submit(job_of("late", jobs.LateDataset, folder))
    event = _end(executor, key_of("late"))
    if event["event"] != "busy":
        return f"it ended as '{event['event']}' {event.get('error', '')}, not as 'busy'"
    stored = Store(folder / "out").folder(key_of("late")).exists()
    return "it put its result into the store all the same" if stored else ""


def _orphaned(executor: CheckedExecutor, folder: Path) -> dict[str, Any]:
    """How a job ended whose supervising process was killed once."""
    above, killed = folder / "above", [0]

    def look() -> None:
        if above.is_file() and not killed[0]:
            killed[0] = int(above.read_text())
            if killed[0] != os.getpid():
                os.kill(killed[0], signal.SIGKILL)

    executor.submit(job_of("orphaned", jobs.OrphanedDataset, folder, limit=20.0))
    return {**_end(executor, key_of("orphaned"), look), "killed": killed[0]}


@requirement(
    "jobs-end",
    "a good job is done and its cell stored; one that fails, or whose process dies, has failed",
    why="a plan waits for every job: one that is never heard of again stops the run",
    remedy="hand each job to recmerge_bench.worker (toolkit.workers.Pool does), and turn a worker "
    "that is gone into a `failed` event",
)
def jobs_end(subject: ExecutorSubject) -> None:
    """Each as it should."""
    ran = subject.ran()
    for name, (_, wanted) in _JOBS.items():
        if ran[name]["event"] != wanted:
            reason = ran[name].get("error", "")
            raise Unmet(
                f"the {name} job ended as '{ran[name]['event']}' {reason}, not as '{wanted}'"
            )
    if not ran["stored"]:
        raise Unmet("the good job is 'done' and its cell is not in the store")


@requirement(
    "slots",
    "open(1, ...) gives one slot, a job takes it, and it comes back when the job ends",
    why="the scheduler submits while free() is positive: a wrong number floods or starves it",
    remedy="free() is the number of jobs that may be submitted now",
)
def slots(subject: ExecutorSubject) -> None:
    """Counted."""
    ran = subject.ran()
    actual = (ran["free"], ran["free during good"], ran["free after"])
    if actual != (1, 0, 1):
        raise Unmet(f"free() before, during and after a job: {actual}, not (1, 0, 1)")


@requirement(
    "errors-told",
    "a job's own words reach whoever asked for it",
    why="the board says why a cell failed",
    remedy="pass on the worker's event as it is",
)
def errors_told(subject: ExecutorSubject) -> None:
    """The failing job's message."""
    error = str(subject.ran()["failing"].get("error", ""))
    if "fails on purpose" not in error:
        raise Unmet(f"the job failed with 'this job fails on purpose', the event has {error!r}")


@requirement(
    "deadline",
    "a job that hangs is killed at its deadline, and its event says `timeout`",
    why="a board tells a time limit from a mistake, and one cell that hangs must not hold a slot",
    remedy="the worker keeps the deadline: hand it the job's `timeout` and pass on its event",
)
def deadline(subject: ExecutorSubject) -> None:
    """The hanging job."""
    _flagged(subject, "hanging", "timeout")


@requirement(
    "memory-told",
    "a job that is refused memory has failed, and its event says `out_of_memory`",
    why="a board tells want of memory from a mistake: another machine may have it",
    remedy="pass on the worker's event as it is",
)
def memory_told(subject: ExecutorSubject) -> None:
    """The eating job."""
    _flagged(subject, "eating", "out_of_memory")


def _flagged(subject: ExecutorSubject, name: str, flag: str) -> None:
    event = subject.ran()[name]
    if not event.get(flag):
        raise Unmet(f"the {name} job's event has no {flag}: {event.get('error', '')!r}")


@requirement(
    "nothing-left",
    "what a job started is gone when the job has ended, a daemon in a session of its own too",
    why="processes that stay eat the cores that the next cells are timed on",
    remedy="run each job under recmerge_bench.worker, which adopts and kills what cells start",
)
def nothing_left(subject: ExecutorSubject) -> None:
    """The forking job."""
    if left := subject.ran()["daemon"]:
        raise Unmet(f"the forking job: {left}")


@requirement(
    "lost-runner",
    "a job whose supervising process is killed is tried again, or fails and says `lost`",
    why="a machine that goes takes no result with it: the run hands in again what is lost",
    remedy="turn a worker that is gone into a `failed` event with `lost` (toolkit.workers.Pool "
    "does), or have the cluster run the job again",
)
def lost_runner(subject: ExecutorSubject) -> None:
    """The job that names the process above it, which is killed."""
    event = subject.ran()["orphaned"]
    if event["killed"] == os.getpid():
        raise Untried("jobs are supervised by this very process, which cannot be killed")
    if not event["killed"]:
        raise Unmet(f"the job ended as '{event['event']}' before it ran: {event.get('error')}")
    if event["event"] != "done" and not (event["event"] == "failed" and event.get("lost")):
        error = event.get("error", "")
        raise Unmet(f"the job whose runner was killed ended as '{event['event']}' {error}")


@requirement(
    "done-twice",
    "a job that is handed in again after it was done is done, and its result stays as it was",
    why="a queue may run a job twice: the second time must not touch what others read",
    remedy="hand the job to recmerge_bench.worker, which looks into the store first",
)
def done_twice(subject: ExecutorSubject) -> None:
    """The good job again."""
    if wrong := subject.ran()["twice"]:
        raise Unmet(f"the good job a second time: {wrong}")


@requirement(
    "late",
    "a job whose cell another machine took over meanwhile is `busy`, and stores nothing",
    why="a machine that slept and comes back must not write over what others rely on",
    remedy="run each job under recmerge_bench.worker, which holds the cell by a lease, and pass "
    "its events on as they are",
)
def late(subject: ExecutorSubject) -> None:
    """The job beside whose lease there is a later one."""
    if wrong := subject.ran()["late"]:
        raise Unmet(f"the job that came late: {wrong}")


@requirement(
    "no-side-effects",
    "argv, environment, working directory, random states and threads stay as they were",
    why="what is set for the whole process changes whatever runs in it next",
    remedy="set a worker's environment where it is started, not here",
)
def no_side_effects(subject: ExecutorSubject) -> None:
    """Around the jobs."""
    subject.ran()
    if changed := subject.kept["changed"]:
        raise Unmet(f"{subject.who} changed {' and '.join(changed)}")


REQUIREMENTS = (
    jobs_end, slots, errors_told, deadline, memory_told, nothing_left, lost_runner, done_twice,
    late, no_side_effects,
)  # fmt: skip

__all__ = ["REQUIREMENTS", "ExecutorSubject"]
