"""The scheduler and its executor: what is lost is handed in again, what waits is attached to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.definitions import ExecutorDefinition
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.jobs import job_spec
from recmerge_bench.running.scheduler import AGAIN, Run
from recmerge_bench.running.store import Store

KEYS = ("a" * 64, "b" * 64)


def plan() -> Plan:
    job = {"config": {}, "plugins": {}, "sources": {}}
    cells = {k: Cell(k, "data", f"cell {k[0]}", {}, job) for k in KEYS}
    return Plan("suite", cells=cells, wanted=list(KEYS))


class Scripted(ExecutorDefinition):
    """Plays what a test says: for each job its events, the last of which are of its last attempt.

    ``done`` writes the cell.
    """

    def __init__(self, store: Store, script: Mapping[str, list[list[str]]]) -> None:
        super().__init__()
        self.store, self.script = store, {k: list(v) for k, v in script.items()}
        self.submitted: list[str] = []
        self.waits: list[str] = []
        self.queued: set[str] = set()

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """Nothing."""

    def free(self) -> int:
        return max(0, 1 - len(self.waits))

    def attach(self, keys: Collection[str]) -> set[str]:
        self.waits += sorted(self.queued & set(keys))
        return self.queued & set(keys)

    def submit(self, job: Mapping[str, Any]) -> None:
        self.submitted.append(job["key"])
        self.waits.append(job["key"])

    def events(self, timeout: float) -> list[dict[str, Any]]:
        played: list[dict[str, Any]] = []
        for key in self.waits:
            played += [self._event(key, word) for word in self.script[key].pop(0)]
        self.waits.clear()
        return played

    def _event(self, key: str, word: str) -> dict[str, Any]:
        if word == "done":
            with self.store.lock(key), self.store.writing(key) as folder:
                self.store.commit(key, folder, {})
        if word == "lost":
            return {"event": "failed", "key": key, "error": "its machine went", "lost": True}
        return {"event": word, "key": key}

    def close(self) -> None:
        """Nothing."""


def went(
    out: Path, script: Mapping[str, list[list[str]]], queued: Collection[str] = ()
) -> tuple[Scripted, Any, list[str]]:
    """The executor, the outcome, and what a listener was told."""
    store, heard = Store(out), list[str]()
    inner = Scripted(store, script)
    inner.queued = set(queued)
    run = Run(plan(), store, CheckedExecutor(inner), listener=lambda e: heard.append(e["event"]))
    return inner, run.go(), heard


def test_what_is_lost_is_handed_in_again(tmp_path: Path) -> None:
    script = {KEYS[0]: [["started", "lost"], ["started", "done"]], KEYS[1]: [["done"]]}
    inner, outcome, heard = went(tmp_path, script)
    assert sorted(inner.submitted) == [KEYS[0], KEYS[0], KEYS[1]]
    assert outcome.computed == set(KEYS) and not outcome.failures
    assert heard[:3] == ["submitted", "started", "lost"] and "failed" not in heard


def test_what_is_lost_again_and_again_has_failed(tmp_path: Path) -> None:
    script = {KEYS[0]: [["lost"]] * (AGAIN + 1), KEYS[1]: [["done"]]}
    inner, outcome, _ = went(tmp_path, script)
    assert inner.submitted.count(KEYS[0]) == AGAIN + 1
    assert outcome.failures[KEYS[0]]["error"] == "its machine went"
    assert outcome.failures[KEYS[0]]["lost"] is True


@pytest.mark.parametrize("queued", [KEYS[:1], KEYS])
def test_jobs_of_an_earlier_client_are_not_handed_in_again(
    tmp_path: Path, queued: tuple[str, ...]
) -> None:
    script = {k: [["started", "progress", "done"]] for k in KEYS}
    inner, outcome, heard = went(tmp_path, script, queued)
    assert inner.submitted == [k for k in KEYS if k not in queued]
    assert outcome.computed == set(KEYS)
    assert heard.count("submitted") == len(KEYS)


def test_a_job_says_what_its_executor_reads(tmp_path: Path) -> None:
    whole = plan()
    cell = whole.cells[KEYS[0]]
    here = job_spec(cell, whole, tmp_path)
    assert here["resources"] == {"threads": 1, "memory": None, "gpus": 0}
    assert here["cost"] == 1.0 and here["timeout"] == 3600.0 and here["out"] == str(tmp_path)
    on_gpu = {"data": 0, "split": 0, "train": 1, "merge": 1, "rank": 1}
    for kind, gpus in on_gpu.items():
        made = Cell("c" * 64, kind, "x", {}, cell.job, threads=3, memory=5)
        resources = job_spec(made, whole, tmp_path, "cuda")["resources"]
        assert resources == {"threads": 3, "memory": 5, "gpus": gpus}
