"""``OUT/suites/<suite>.json``: which cells are a suite's rows, and how each stands."""

from __future__ import annotations

import json
from typing import Any

from recmerge_bench import schema_numbers
from recmerge_bench.files import write_json
from recmerge_bench.planning.cells import Cell, Plan, Result
from recmerge_bench.planning.configuration import configured
from recmerge_bench.processes.words import first_line
from recmerge_bench.running.cell_record import SEAL, seal_of
from recmerge_bench.running.scheduler import Outcome
from recmerge_bench.running.store import Store
from recmerge_bench.untrusted.paths import within


def write_manifest(plan: Plan, store: Store, outcome: Outcome, command: str) -> dict[str, Any]:
    """Write the manifest and return it."""
    results = [_row(result, plan, store, outcome) for result in plan.results]
    manifest = {
        "schema": schema_numbers.RUN_MANIFEST,
        "suite": plan.suite,
        "header": {**plan.header, "command": command},
        "results": results,
        "curves": [_row(curve, plan, store, outcome) for curve in plan.curves],
    }
    manifest = json.loads(json.dumps(manifest))
    sealed = {**manifest, SEAL: seal_of(manifest)}
    write_json(within(store.out / "suites", f"{plan.suite}.json"), sealed)
    return manifest


def _row(result: Result, plan: Plan, store: Store, outcome: Outcome) -> dict[str, Any]:
    status, reason, remedy = _status(plan.cells[result.key], plan, store, outcome)
    behind = plan.closure([result.key])  # not what metrics of lists read: no row is made of it
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
        "cells": [k for k in plan.cells if k in behind],
    }


def _status(cell: Cell, plan: Plan, store: Store, outcome: Outcome) -> tuple[str, str, str]:
    if cell.key in outcome.cached | outcome.computed or store.sound(cell.key):
        return "done", "", ""
    if cell.blocked and not cell.waits:
        return "blocked", *cell.blocked
    for key in plan.closure([cell.key]):
        if key in outcome.reasons:
            return "blocked", *outcome.reasons[key]
        failure = outcome.failures.get(key) or store.failure(key)
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
