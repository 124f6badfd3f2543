"""Worker processes: started when needed, reused, killed where they miss a cell's deadline."""

from __future__ import annotations

import itertools
import json
import os
import platform
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from recmerge_bench.processes.parent import PARENT, die_with
from recmerge_bench.processes.words import ENDS, event_of, failure, how_it_died

#: Seconds that a worker has to begin a job, and to end it at its deadline before it is killed.
GRACE = 30.0
#: Bytes of a log file; a larger one begins anew. Bytes of a message; a longer one is no worker's.
LOG, LINE = 16 << 20, 1 << 20


class Worker:
    """One worker process and the job that it runs."""

    def __init__(self, number: int, threads: int, log: Path) -> None:
        self.log = log / f"worker-{number}.log"
        self.job: Mapping[str, Any] | None = None
        self.deadline = 0.0
        self._rest = b""
        log.mkdir(parents=True, exist_ok=True)
        old = self.log.is_file() and self.log.stat().st_size > LOG
        with open(self.log, "wb" if old else "ab") as stream:
            self.mark = stream.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recmerge_bench.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                start_new_session=True,
                # A worker whose parent dies before it can ask who that is would serve nobody.
                env={**environment(threads), PARENT: str(os.getpid())},
            )

    def start(self, job: Mapping[str, Any]) -> None:
        """Hand it a job."""
        self.job, self.deadline = job, time.monotonic() + job["timeout"] + GRACE
        self.mark = self.log.stat().st_size
        assert self.process.stdin is not None
        try:
            self.process.stdin.write((json.dumps(job) + "\n").encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead: the next read tells

    def read(self) -> list[dict[str, Any]] | None:
        """Events that have arrived; None when the process is gone."""
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest if len(self._rest) <= LINE else b""
        key = "" if self.job is None else self.job["key"]
        events = [event for line in lines if (event := event_of(line, key)) is not None]
        if self.job is not None and any(event["event"] == "started" for event in events):
            self.deadline = time.monotonic() + self.job["timeout"] + GRACE
        return events

    def kill(self) -> int:
        """Kill the process and whatever it started; its exit status."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        return status

    def last_words(self) -> str:
        """The end of what it logged during this job."""
        with open(self.log, "rb") as stream:
            stream.seek(max(self.mark, self.log.stat().st_size - 4000))
            return stream.read().decode(errors="replace")


def environment(threads: int) -> dict[str, str]:
    """A worker's environment: its thread count fixed before any library starts."""
    count = str(threads)
    return {
        **os.environ,
        "OMP_NUM_THREADS": count,
        "MKL_NUM_THREADS": count,
        "OPENBLAS_NUM_THREADS": count,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYTHONHASHSEED": "0",
        "TOKENIZERS_PARALLELISM": "false",
    }


class Pool:
    """A fixed number of slots for workers.

    A worker that is killed has ``lost`` its job: such a job may be submitted again.

    Args:
        size: jobs at a time.
        threads: CPU threads of each.
        log: folder for the workers' logs.
    """

    def __init__(self, size: int, threads: int, log: Path) -> None:
        self.size, self.threads, self.log = size, threads, log
        self.workers: dict[int, Worker] = {}
        self.selector = selectors.DefaultSelector()

    def free(self) -> int:
        """Slots without a job."""
        return self.size - sum(w.job is not None for w in self.workers.values())

    def submit(self, job: Mapping[str, Any]) -> None:
        """Give the job to an idle worker, or to a new one."""
        idle = (n for n, w in sorted(self.workers.items()) if w.job is None)
        number = next(idle, None)
        if number is None:
            number = next(n for n in range(self.size) if n not in self.workers)
            self.workers[number] = Worker(number, self.threads, self.log)
            stdout = self.workers[number].process.stdout
            assert stdout is not None
            self.selector.register(stdout, selectors.EVENT_READ, number)
        self.workers[number].start(job)

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """What workers said, and which died or were killed at their deadline."""
        events: list[dict[str, Any]] = []
        for entry, _ in self.selector.select(timeout):
            worker = self.workers[entry.data]
            messages = worker.read()
            if messages is None:
                events += self._bury(entry.data, "crashed")
                continue
            for event in messages if worker.job is not None else ():
                if event["event"] in ENDS:
                    worker.job = None
                events.append(event)
                if worker.job is None:
                    break  # what follows is noise
        now = time.monotonic()
        for number, worker in list(self.workers.items()):
            if worker.job is not None and now > worker.deadline:
                events += self._bury(number, "timeout")
        return events

    def _bury(self, number: int, why: str) -> list[dict[str, Any]]:
        worker = self.workers.pop(number)
        self.selector.unregister(worker.process.stdout)  # type: ignore[arg-type]
        status = worker.kill()
        if worker.job is None:
            return []
        error = f"killed after {worker.job['timeout']:.0f} s, its time limit"
        if why == "crashed":
            error = f"the worker: {how_it_died(status)}"
        # Where cells have processes of their own, a worker that dies is not the cell's doing.
        lost = why == "crashed" and sys.platform == "linux"
        timeout = why == "timeout"
        key, words = worker.job["key"], worker.last_words()
        return [failure(key, error, words, timeout=timeout, lost=lost)]

    def close(self) -> None:
        """Kill all workers."""
        for worker in self.workers.values():
            worker.kill()
        self.workers.clear()
        self.selector.close()


#: Pools of one worker that `run_here` keeps for its next jobs, by threads and log folder.
_IDLE: dict[tuple[int, Path], list[Pool]] = {}
#: Jobs that `run_here` runs in this process, by key.
_RUNNING: dict[str, Pool] = {}
_NUMBERS = itertools.count()


def run_here(
    job: Mapping[str, Any], say: Callable[[dict[str, Any]], None], logs: Path
) -> dict[str, Any]:
    """Run a job in a worker process that this process keeps for the next one.

    For the processes of clusters, which are handed functions: several threads may call it. The
    worker ends with this process.

    Args:
        job: see `recmerge_bench.api.ExecutorDefinition`.
        say: takes the events before the last, as they come.
        logs: folder for workers' logs.

    Returns:
        The event that ended it.
    """
    kept = _IDLE.setdefault((job["threads"], logs), [])
    try:
        pool = kept.pop()
    except IndexError:
        own = f"{platform.node()}-{os.getpid()}-{next(_NUMBERS)}"
        pool = Pool(1, job["threads"], logs / own)
    _RUNNING[job["key"]] = pool
    try:
        pool.submit(job)
        return _end_of(pool, say)
    finally:
        _RUNNING.pop(job["key"], None)
        kept.append(pool)


def _end_of(pool: Pool, say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    while True:
        for event in pool.events(1.0):
            if event["event"] in ENDS:
                return event
            say(event)


def stop_here(keys: Collection[str]) -> None:
    """Kill the workers of those of the jobs that `run_here` runs in this process."""
    for key in keys:
        pool = _RUNNING.get(key)
        for worker in () if pool is None else list(pool.workers.values()):
            with suppress(ProcessLookupError):
                os.killpg(worker.process.pid, signal.SIGKILL)


def run_files_below(job_file: Path, events_file: Path) -> int:
    """Run a file of jobs in a process that ends with this one, however this one ends.

    Signals that queues send before they take a machine away (SIGTERM, SIGUSR1, SIGUSR2) are left
    to this process: cells compute until it ends.

    Returns:
        The exit status of ``python -m recmerge_bench.worker --job FILE --events FILE``.
    """
    me = os.getpid()

    def prepare() -> None:
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_IGN)
        die_with(me)

    files = ["--job", str(job_file), "--events", str(events_file)]
    command = [sys.executable, "-m", "recmerge_bench.worker", *files]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, preexec_fn=prepare if sys.platform == "linux" else None
    ) as process:
        try:
            return process.wait()
        except BaseException:  # the queue takes the machine away, or somebody interrupts
            process.kill()
            raise


__all__ = ["Pool", "Worker", "environment", "run_files_below", "run_here", "stop_here"]
