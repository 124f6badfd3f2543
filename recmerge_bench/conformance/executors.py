"""What every executor has to do, tried with jobs that end well, fail, and kill their process."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.conformance.requirement import Unmet, requirement
from recmerge_bench.conformance.state import changes
from recmerge_bench.conformance.subject import Subject
from recmerge_bench.conformance.worlds import interactions
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.definitions import DatasetDefinition
from recmerge_bench.errors import DataError
from recmerge_bench.running.store import Store

#: Seconds until a job has to have ended.
PATIENCE = 120.0


class TinyDataset(DatasetDefinition):
    """A job's work: generated events."""

    def domains(self, data_root: Path | None = None) -> tuple[str, ...]:
        """Two."""
        return ("d0", "d1")

    def load(self, data_root: Path | None) -> Interactions:
        """See `worlds`."""
        return interactions(users=8)


class FailingDataset(TinyDataset):
    """A job that fails in words."""

    def load(self, data_root: Path | None) -> Interactions:
        """Raise."""
        raise DataError("this job fails on purpose")


class DyingDataset(TinyDataset):
    """A job whose process is gone."""

    def load(self, data_root: Path | None) -> Interactions:
        """End the process."""
        os._exit(9)


@dataclass
class ExecutorSubject(Subject):
    """An executor under test.

    Attributes:
        events: of all jobs so far, by key.
    """

    events: dict[str, dict[str, Any]] = field(default_factory=dict, kw_only=True)

    def ran(self) -> Mapping[str, Any]:
        """What became of three jobs, one after another: made once."""
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
            for name, kind in _JOBS.items():
                job = _job(name, kind, folder)
                executor.submit(job)
                facts[f"free during {name}"] = executor.free()
                facts[name] = _end(executor, job["key"])
            facts["stored"] = Store(folder / "out").sound(_key("good"))
            facts["free after"] = executor.free()
        finally:
            executor.close()
        return facts

    def outputs(self) -> dict[str, np.ndarray]:
        """How the jobs ended."""
        ran = self.ran()
        return {name: np.array([ran[name]["event"] == "done"]) for name in _JOBS}


_JOBS: dict[str, type[DatasetDefinition]] = {
    "good": TinyDataset, "failing": FailingDataset, "dying": DyingDataset
}  # fmt: skip


def _key(name: str) -> str:
    return name.encode().hex().ljust(64, "0")


def _job(name: str, kind: type, folder: Path) -> dict[str, Any]:
    target = f"{kind.__module__}:{kind.__name__}"
    return {
        "key": _key(name), "kind": "data", "label": f"conformance, {name}",
        "config": {"dataset": {"target": target, "options": {}}, "data_root": None},
        "plugins": {}, "sources": {}, "inputs": {}, "seed": 0, "threads": 1, "timeout": 60.0,
        "files": {}, "hidden": [], "out": str(folder / "out"), "device": "cpu",
    }  # fmt: skip


def _end(executor: CheckedExecutor, key: str) -> dict[str, Any]:
    """The event that ends a job."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for event in executor.events(1.0):
            if event["key"] == key and event["event"] != "progress":
                return event
    return {"event": "nothing", "key": key}


@requirement(
    "jobs-end",
    "a good job is done and its cell stored; one that fails, or whose process dies, has failed",
    why="a plan waits for every job: one that is never heard of again stops the run",
    remedy="hand each job to recmerge_bench.worker (toolkit.workers.Pool does), and turn a worker "
    "that is gone into a `failed` event",
)
def jobs_end(subject: ExecutorSubject) -> None:
    """Three jobs."""
    ran = subject.ran()
    for name in _JOBS:
        wanted = "done" if name == "good" else "failed"
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


REQUIREMENTS = (jobs_end, slots, errors_told, no_side_effects)

__all__ = ["REQUIREMENTS", "DyingDataset", "ExecutorSubject", "FailingDataset", "TinyDataset"]
