"""What cells will cost, in time and memory, from what like cells cost before in this store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from statistics import median

from recmerge_bench.collection import uncollected
from recmerge_bench.json_values import canonical
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.store import Store


def cells_done(plan: Plan, store: Store) -> frozenset[str]:
    """Keys of the plan's cells that are in the store, whole by their files' sizes."""
    with store.listed(plan.cells):
        return frozenset(key for key in plan.cells if store.intact(key))


@uncollected()
def measured(plan: Plan, store: Store, done: Collection[str] | None = None) -> Plan:
    """The plan with each cell's cost and memory as like cells had them, where there are any.

    Cost is their median in seconds, memory their maximum in bytes. Like cells do the same on other
    inputs or with another seed: kind and configuration tell.

    Args:
        plan: whose cells.
        store: that knows like ones.
        done: `cells_done`, where the caller has looked.
    """
    history = _history(plan, store, cells_done(plan, store) if done is None else done)
    if not history:
        return plan
    cells: dict[str, Cell] = {}
    for key, cell in plan.cells.items():
        seen = history.get(like(cell))
        if seen is not None:
            seconds, memory = zip(*seen, strict=True)
            cell = replace(cell, cost=median(seconds), memory=max(memory))
        cells[key] = cell
    return replace(plan, cells=cells)


def like(cell: Cell) -> tuple[str, str]:
    """What cells have in common that do the same on other inputs or with another seed."""
    return cell.kind, canonical(cell.job["config"])


def _history(
    plan: Plan, store: Store, done: Collection[str]
) -> dict[tuple[str, str], list[tuple[float, int]]]:
    """Kind and configuration -> seconds and peak memory of the cells that are done."""
    history: dict[tuple[str, str], list[tuple[float, int]]] = {}
    with store.listed(done):
        for key, cell in plan.cells.items():
            if key in done:
                record = store.record(key)
                cost = float(record["seconds"]), int(record["peak_memory"])
                history.setdefault(like(cell), []).append(cost)
    return history
