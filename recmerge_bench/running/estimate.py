"""What cells will cost, from what like cells cost before in this store."""

from __future__ import annotations

import re
from dataclasses import replace
from statistics import median

from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.store import Store


def measured(plan: Plan, store: Store) -> Plan:
    """The plan with costs replaced by the median seconds of like cells, where there are any."""
    history = _history(plan, store)
    cells: dict[str, Cell] = {}
    for key, cell in plan.cells.items():
        seconds = history.get(_like(cell))
        cells[key] = cell if seconds is None else replace(cell, cost=median(seconds))
    return replace(plan, cells=cells)


def _like(cell: Cell) -> str:
    return f"{cell.kind} {re.sub(r' seed [0-9]+$', '', cell.label)}"


def _history(plan: Plan, store: Store) -> dict[str, list[float]]:
    seconds_by_kind: dict[str, list[float]] = {}
    for key, cell in plan.cells.items():
        if store.intact(key):
            seconds_by_kind.setdefault(_like(cell), []).append(float(store.record(key)["seconds"]))
    return seconds_by_kind
