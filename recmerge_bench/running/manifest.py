"""``OUT/suites/<suite>.json``: which cells are a suite's rows, and how each stands."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any

from recmerge_bench import schema_numbers
from recmerge_bench.collection import uncollected
from recmerge_bench.files import write_text
from recmerge_bench.planning.cells import Cell, Plan, Result
from recmerge_bench.planning.configuration import configured
from recmerge_bench.processes.words import first_line
from recmerge_bench.running.cell_record import SEAL, seal_of
from recmerge_bench.running.scheduler import Outcome
from recmerge_bench.running.store import Store
from recmerge_bench.untrusted.paths import within


@uncollected()
def write_manifest(plan: Plan, store: Store, outcome: Outcome, command: str) -> dict[str, Any]:
    """Write the manifest and return it."""
    rows = Rows(plan, store, outcome)
    results = [rows.row(result) for result in plan.results]
    manifest = {
        "schema": schema_numbers.RUN_MANIFEST,
        "suite": plan.suite,
        "header": {**plan.header, "command": command},
        "results": results,
        "curves": [rows.row(curve) for curve in plan.curves],
    }
    manifest = json.loads(json.dumps(manifest))
    sealed = {**manifest, SEAL: seal_of(manifest)}
    path = within(store.out / "suites", f"{plan.suite}.json")
    write_text(path, json.dumps(sealed, sort_keys=True) + "\n")  # indents take three times as long
    return manifest


class Rows:
    """Rows of a plan as they stand after a run.

    Args:
        plan: whose.
        store: that it ran into.
        outcome: how the run ended.
    """

    def __init__(self, plan: Plan, store: Store, outcome: Outcome) -> None:
        self.plan, self.store, self.outcome = plan, store, outcome
        self.done = outcome.cached | outcome.computed
        self.place = {key: number for number, key in enumerate(plan.cells)}

    def row(self, result: Result) -> dict[str, Any]:
        """A result with the keys of its cells, in the plan's order."""
        status, reason, remedy = self._status(self.plan.cells[result.key])
        # not what metrics of lists read: no row is made of it
        behind = self.plan.closure([result.key])
        return {
            "key": result.key,
            **({"masked": True} if result.masked else {}),
            **({"lists": result.lists} if result.lists else {}),
            "identity": dict(result.identity),
            "domains": list(result.domains),
            "status": status,
            "reason": reason,
            "mend": remedy,
            **configured(result.configuration),
            "cells": sorted(behind, key=self.place.__getitem__),
            **self._tried(result, behind),
        }

    def _tried(self, result: Result, behind: Set[str]) -> dict[str, list[str]]:
        """Cells of the settings that were tried for a row, but for those that it is made of."""
        tried = self.plan.closure(list(result.trials)) - behind
        return {"trials": sorted(tried, key=self.place.__getitem__)} if tried else {}

    def _status(self, cell: Cell) -> tuple[str, str, str]:
        if cell.key in self.done or self.store.sound(cell.key):
            return "done", "", ""
        if cell.blocked and not cell.waits:
            return "blocked", *cell.blocked
        for key in self.plan.closure([cell.key]):
            if key in self.outcome.reasons:
                return "blocked", *self.outcome.reasons[key]
            failure = self.outcome.failures.get(key) or self.store.failure(key)
            if failure:
                status = _kind(failure)
                place = "" if key == cell.key else f"{failure['label']}: "
                return status, place + first_line(str(failure["error"])), "run again to retry"
        if cell.blocked:
            return "not run", *cell.blocked
        return "not run", "the run did not include it or was stopped", "run the suite again"


def _kind(failure: dict[str, Any]) -> str:
    if failure.get("timeout"):
        return "timeout"
    return "out-of-memory" if failure.get("out_of_memory") else "failed"
