"""Executor ``dask``: workers of a Dask cluster, one that is there or one made on this machine."""

from __future__ import annotations

import os
import queue
import random
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import ExecutorDefinition, ExecutorSpec, HandledError, Spec, hookimpl

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

#: What events of cells that run are sent under.
TOPIC = "recmerge-bench"
#: Seconds between two looks whether the scheduler still is there.
LOOK = 1.0
#: Packages that it needs.
REQUIRES = ("distributed",)


@dataclass(frozen=True)
class Options:
    """What cluster, and how it is used.

    Attributes:
        address: of a running scheduler, such as ``tcp://host:8786``; empty: a cluster of
            processes on this machine, which ends with the run.
        scheduler_file: of a running scheduler, in the place of its address.
        workers: of the cluster on this machine; 0: ``--jobs``, or as many as cores allow at the
            cells' thread count. Each runs a cell at a time.
        minimum: workers that an adaptive cluster on this machine keeps.
        maximum: workers that it may have; 0: it is not adaptive.
        slots: cells at a time on a running cluster; 0: ``--jobs``, or as its workers have threads.
        resources: cells ask workers for ``threads``, ``memory`` (bytes, where it is known) and
            ``GPU``; the workers have to be started with such ``--resources``.
        retries: attempts at a cell whose task raises, beside the first.
        patience: seconds that a scheduler which is gone, or not there yet, is waited for.
    """

    address: str = ""
    scheduler_file: str = ""
    workers: int = 0
    minimum: int = 0
    maximum: int = 0
    slots: int = 0
    resources: bool = False
    retries: int = 2
    patience: float = 60.0


class DaskExecutor(ExecutorDefinition):
    """Cells as tasks of a Dask cluster; workers have the package, and the store's folder, as here.

    Tasks outlive a client that dies, and the next run attaches to those that wait or run. A worker
    that dies takes nothing along: Dask gives its cell to another.
    """

    Options = Options

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """Connect, or start a cluster.

        Raises:
            HandledError: no scheduler answers.
        """
        self.jobs, self.threads, self.log = jobs, threads, log
        self.cluster: LocalCluster | None = None
        self.futures: dict[str, Future] = {}
        self.said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.attempts = self.looked = 0.0
        self.random = random.getstate()  # Dask's threads draw from it as long as they run
        with _unchanged():
            self.client = self._connected()

    # -- the cluster ---------------------------------------------------------------------------

    def _connected(self) -> Client:
        from distributed import Client

        given: Any = {"address": self.options.address or None}
        if self.options.scheduler_file:
            given = {"scheduler_file": self.options.scheduler_file}
        elif not self.options.address:
            self.cluster = self._local_cluster()
            given = {"address": self.cluster}
        try:
            client = Client(**given, timeout=self.options.patience)
        except (OSError, TimeoutError) as error:
            where = self.options.address or self.options.scheduler_file or "on this machine"
            raise HandledError(
                f"no Dask scheduler {where} in {self.options.patience:.0f} s ({error}); start it, "
                "or say --set executor.patience=SECONDS; what is done is kept"
            ) from None
        client.subscribe_topic(TOPIC, self._on_event)
        return client

    def _local_cluster(self) -> LocalCluster:
        from distributed import LocalCluster

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.size = self.options.workers or self.jobs or max(1, (cores or 1) // self.threads)
        own = {"threads": self.threads, "memory": _memory(), "GPU": 1}
        cluster = LocalCluster(
            n_workers=self.options.minimum if self.options.maximum else self.size,
            threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None,
            memory_limit=0, resources=own if self.options.resources else None,
        )  # fmt: skip
        if self.options.maximum:
            self.size = self.options.maximum
            cluster.adapt(minimum=self.options.minimum, maximum=self.options.maximum)
        return cluster

    def _slots(self) -> int:
        """Cells at a time."""
        if self.cluster is not None:
            return int(min(self.size, self.jobs or self.size))
        if self.options.slots or self.jobs:
            return int(self.options.slots or self.jobs or 1)
        return max(1, sum(self.client.nthreads().values()))

    # -- jobs ----------------------------------------------------------------------------------

    def free(self) -> int:
        """Slots without a job."""
        return max(0, self._slots() - len(self.futures))

    def submit(self, job: Mapping[str, Any]) -> None:
        """Make a task of the job, which goes on when this process is gone."""
        from distributed import fire_and_forget

        self.attempts += 1
        asked = job["resources"]
        wanted = {"threads": asked["threads"], "memory": asked["memory"], "GPU": asked["gpus"]}
        future = self.client.submit(
            run_on_worker, dict(job), str(self.log),
            key=f"{_name(job['key'])}-{os.getpid()}.{self.attempts:.0f}", pure=False,
            retries=self.options.retries, priority=job["cost"],
            resources={k: v for k, v in wanted.items() if v} if self.options.resources else None,
        )  # fmt: skip
        fire_and_forget(future)
        self._follow(job["key"], future)

    def attach(self, keys: Collection[str]) -> set[str]:
        """Tasks of a client which is gone."""
        from distributed import Future

        # A lambda goes to the scheduler by value: it need not have this package.
        names = self.client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        tasks = {str(name).rpartition("-")[0]: str(name) for name in names}
        has = {key for key in keys if _name(key) in tasks}
        for key in has:
            self._follow(key, Future(tasks[_name(key)], client=self.client))
        return has

    def _follow(self, key: str, future: Future) -> None:
        self.futures[key] = future
        future.add_done_callback(lambda ended: self.said.put(_end(key, ended)))

    def _on_event(self, event: Any) -> None:
        """An event that a worker sent: (time, event)."""
        self.said.put(dict(event[1]))

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """What workers said, and which tasks ended.

        Raises:
            HandledError: the scheduler is gone and does not come back.
        """
        events: list[dict[str, Any]] = []
        with suppress(queue.Empty):
            events.append(self.said.get(timeout=min(timeout, LOOK)))
            while True:
                events.append(self.said.get_nowait())
        events = [event for event in events if self._is_ours(event)]
        return events or self._lost()

    def _is_ours(self, event: dict[str, Any]) -> bool:
        """Whether a job of ours says this; one that ended is let go."""
        future = self.futures.get(event["key"])
        task = event.pop("task", None)
        if future is None or (task is not None and task != future.key):
            return False
        if task is not None:
            del self.futures[event["key"]]
        return True

    def _lost(self) -> list[dict[str, Any]]:
        """Jobs of a scheduler that is gone, when there is one again."""
        if time.monotonic() - self.looked < LOOK or not self.futures:
            return []
        self.looked = time.monotonic()
        gone = self.client.status != "running"
        lost = [k for k, f in self.futures.items() if gone or f.status in ("lost", "cancelled")]
        if gone:
            with _unchanged():
                self._disconnect()
                self.client = self._connected()
        for key in lost:
            del self.futures[key]
        return [_failed(key, "the Dask scheduler that had it is gone", lost=True) for key in lost]

    # -- the end -------------------------------------------------------------------------------

    def close(self) -> None:
        """Kill what still runs; a cluster that was there before stays."""
        if not hasattr(self, "client"):
            return
        keys = list(self.futures)
        if keys and self.client.status == "running":
            with suppress(Exception):
                self.client.cancel(list(self.futures.values()), force=True)
                self.client.run(stop_on_worker, keys)
        self.futures.clear()
        with _unchanged():
            self._disconnect()
        random.setstate(self.random)

    def _disconnect(self) -> None:
        with suppress(Exception):
            self.client.close(timeout=5)
        if self.cluster is not None:
            with suppress(Exception):
                self.cluster.close(timeout=10)
            self.cluster = None


def run_on_worker(job: dict[str, Any], log: str) -> dict[str, Any]:
    """A task: run the job in a worker process beside Dask's; the event that ended it."""
    from distributed import get_worker

    from recmerge_bench.toolkit.workers import run_here

    worker = get_worker()
    return run_here(job, lambda event: worker.log_event(TOPIC, event), Path(log))


def stop_on_worker(keys: Collection[str]) -> None:
    """Kill jobs that a Dask worker runs."""
    from recmerge_bench.toolkit.workers import stop_here

    stop_here(keys)


@contextmanager
def _unchanged() -> Iterator[None]:
    """The environment is afterwards as before: Dask sets variables to start workers with them."""
    environment = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(environment):
            del os.environ[name]
        os.environ.update(environment)


def _name(key: str) -> str:
    return f"{TOPIC}-{key}"


def _end(key: str, future: Future) -> dict[str, Any]:
    """The event that a task's end is, with the task's name."""
    try:
        if future.status == "finished":
            event: dict[str, Any] = {**future.result(), "task": future.key}
            return event
        error = future.exception() if future.status == "error" else None
    except Exception as other:  # the scheduler went between two lines
        error = other
    why = f"Dask gave it up: {type(error).__name__}: {error}" if error else "its task is gone"
    return {**_failed(key, why, lost=True), "task": future.key}


def _failed(key: str, error: str, **flags: bool) -> dict[str, Any]:
    return {"event": "failed", "key": key, "error": error, **flags}


def _memory() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``dask``."""
    return [
        ExecutorSpec(
            "dask",
            f"{__name__}:DaskExecutor",
            "Workers of a Dask cluster: one that runs, or one on this machine",
            requires=REQUIRES,
        )
    ]
