"""What cells will cost, in time and memory, from what like cells cost before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

from recmerge_bench.collection import uncollected
from recmerge_bench.json_values import canonical
from recmerge_bench.planning.cells import BOARD, STORE, Cell, Plan
from recmerge_bench.running.cost_files import Costs, cost_files, costs_of, whose
from recmerge_bench.running.store import Store

#: Of a result, as plans have it.
Identity = Mapping[str, Any]
#: Seconds and peak memory of cells that are done.
_Seen = list[tuple[float, int]]


def cells_done(plan: Plan, store: Store) -> frozenset[str]:
    """Keys of the plan's cells that are in the store, whole by their files' sizes."""
    with store.listed(plan.cells):
        return frozenset(key for key in plan.cells if store.intact(key))


@uncollected()
def measured(
    plan: Plan, store: Store, done: Collection[str] | None = None, boards: Iterable[Path] = ()
) -> Plan:
    """The plan with each cell's cost and memory as like cells had them, where there are any.

    Like cells do the same on other inputs or with another seed: kind and configuration tell. Cost
    is their median in seconds, memory their maximum in bytes. Where there is none, the cost is that
    of the same cell in the records of this suite, the store's before a board's; else the mean of
    the cells of the same kind, dataset and model or strategy, again the store's before boards',
    and for a training of a model that has none, the mean of other models' trainings on the dataset.
    What rests on none of them stays a guess.

    Args:
        plan: whose cells.
        store: that knows like ones.
        done: `cells_done`, where the caller has looked.
        boards: cost files of published boards.
    """
    done = cells_done(plan, store) if done is None else done
    seconds = _seconds(plan, store, done)
    history: dict[tuple[str, str], _Seen] = {}
    for key, cost in seconds.items():
        history.setdefault(like(plan.cells[key]), []).append(cost)
    cells = dict(plan.cells)
    for key, cell in plan.cells.items() if history else ():
        seen = history.get(like(cell))
        if seen is not None:
            took, memory = zip(*seen, strict=True)
            cells[key] = replace(cell, cost=median(took), memory=max(memory), basis=STORE)
    unknown = [key for key, cell in cells.items() if cell.basis != STORE and key not in done]
    if unknown:
        own = costs_of(cost_files(store.out / "records"))
        owners = _owners(plan)
        for key, cost in seconds.items():
            if key in owners:
                own.add(plan.cells[key].kind, owners[key], cost[0])
        elsewhere = _Elsewhere(plan.suite, own, costs_of(boards), _counting(plan, owners))
        for key in unknown:
            cells[key] = elsewhere.cost(cells[key], owners.get(key))
    return replace(plan, cells=cells)


def like(cell: Cell) -> tuple[str, str]:
    """What cells have in common that do the same on other inputs or with another seed."""
    return cell.kind, canonical(cell.job["config"])


@dataclass(frozen=True)
class _Elsewhere:
    """What cells took that are less alike.

    Attributes:
        suite: the plan's.
        own: costs of the store, and of the records beside it.
        boards: costs of published boards.
        counting: names of the plan's models that only count.
    """

    suite: str
    own: Costs
    boards: Costs
    counting: frozenset[str]

    def cost(self, cell: Cell, owner: Identity | None) -> Cell:
        """The cell with what they took; as it was where there are none."""
        sources = ((self.own, STORE), (self.boards, BOARD))
        for costs, basis in sources:
            seconds = costs.named.get((self.suite, f"{cell.kind}:{cell.label}"))
            if seconds is not None:
                return replace(cell, cost=seconds, basis=basis)
        if owner is None:
            return cell
        own = whose(cell.kind, owner)
        for costs, basis in sources:
            if some := costs.alike.get(own):
                return replace(cell, cost=fmean(some), basis=basis)
        if cell.kind == "train" and not cell.job["config"].get("counting"):
            for costs, basis in sources:
                if some := costs.of_others(own, self.counting):
                    return replace(cell, cost=fmean(some), basis=basis)
        return cell


def _counting(plan: Plan, owners: Mapping[str, Identity]) -> frozenset[str]:
    """Names of models that only count."""
    return frozenset(
        str(owners[key]["method"])
        for key, cell in plan.cells.items()
        if key in owners and cell.kind == "train" and cell.job["config"].get("counting")
    )


def _owners(plan: Plan) -> dict[str, Identity]:
    """Key of a cell -> identity of the first result that needs it."""
    owners: dict[str, Identity] = {}
    for result in plan.results:
        queue = [key for key in (result.key, result.lists, *result.trials) if key in plan.cells]
        while queue:
            key = queue.pop()
            if key not in owners:
                owners[key] = result.identity
                queue += plan.cells[key].inputs.values()
    return owners


def _seconds(plan: Plan, store: Store, done: Collection[str]) -> dict[str, tuple[float, int]]:
    """Key of a cell of the plan that is done -> its seconds and its peak memory."""
    seconds = {}
    with store.listed(done):
        for key in plan.cells:
            if key in done:
                record = store.record(key)
                seconds[key] = float(record["seconds"]), int(record["peak_memory"])
    return seconds
