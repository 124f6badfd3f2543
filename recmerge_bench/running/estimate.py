"""What cells will cost, from what like cells cost before in this store."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from recmerge_bench.json_values import canonical
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.store import Store


def measured(plan: Plan, store: Store) -> Plan:
    """The plan with costs replaced by the median seconds of like cells, where there are any.

    Like cells do the same on other inputs or with another seed: kind and configuration tell.
    """
    history = _history(plan, store)
    if not history:
        return plan
    cells: dict[str, Cell] = {}
    for key, cell in plan.cells.items():
        seconds = history.get(_like(cell))
        cells[key] = cell if seconds is None else replace(cell, cost=median(seconds))
    return replace(plan, cells=cells)


def _like(cell: Cell) -> tuple[str, str]:
    return cell.kind, canonical(cell.job["config"])


def _history(plan: Plan, store: Store) -> dict[tuple[str, str], list[float]]:
    """Kind and configuration -> seconds of the cells that are done."""
    history: dict[tuple[str, str], list[float]] = {}
    for key, cell in plan.cells.items():
        if store.intact(key):
            history.setdefault(_like(cell), []).append(float(store.record(key)["seconds"]))
    return history
