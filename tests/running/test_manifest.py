"""The manifest of a run: rows in the plan's order, whatever the order of their closure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recmerge_bench.planning.cells import Cell, Plan, Result
from recmerge_bench.running.estimate import cells_done, measured
from recmerge_bench.running.manifest import write_manifest
from recmerge_bench.running.scheduler import Outcome
from recmerge_bench.running.store import Store


def chains(rows: int) -> Plan:
    """Rows of a training, a merge and ranks each, over one dataset."""
    plan = Plan("some", header={"metrics": ["NDCG@10"]})
    shared = plan.add(cell("data", "shared", {}))
    for n in range(rows):
        trained = plan.add(cell("train", n, {"data": shared}))
        merged = plan.add(cell("merge", n, {"base": trained}))
        ranks = plan.add(cell("rank", n, {"model": merged, "data": shared}))
        plan.results.append(Result(ranks, {"track": "t", "method": f"m{n}"}, ("a",)))
    plan.wanted = [r.key for r in plan.results]
    return plan


def cell(kind: str, name: object, inputs: dict[str, str]) -> Cell:
    return Cell(f"{kind}-{name}", kind, f"{kind} {name}", inputs, {"config": {"name": str(name)}})


def test_cells_behind_a_row_stand_in_the_plans_order(tmp_path: Path) -> None:
    plan = chains(3)
    done = Outcome(cached={"data-shared"}, computed={"rank-1"})
    manifest = write_manifest(plan, Store(tmp_path), done, "run")
    assert [row["cells"] for row in manifest["results"]] == [
        ["data-shared", f"train-{n}", f"merge-{n}", f"rank-{n}"] for n in range(3)
    ]
    assert [row["status"] for row in manifest["results"]] == ["not run", "done", "not run"]


class Counting(dict[str, Cell]):
    """Cells that count how often all of them are gone through."""

    passes = 0

    def __iter__(self) -> Iterator[str]:
        self.passes += 1
        return super().__iter__()


@pytest.mark.parametrize("rows", [1, 30])
def test_a_manifest_goes_through_the_plan_once_whatever_the_rows(tmp_path: Path, rows: int) -> None:
    plan = chains(rows)
    plan.cells = Counting(plan.cells)
    write_manifest(plan, Store(tmp_path), Outcome(cached=set(plan.wanted)), "run")
    assert plan.cells.passes == 1


def test_what_is_done_is_looked_at_once(tmp_path: Path) -> None:
    """What `cells_done` found is not looked for again by the estimate."""
    store, plan = Store(tmp_path), chains(2)
    with store.writing("train-0") as folder:
        store.commit("train-0", folder, {"kind": "train", "seconds": 7.0, "peak_memory": 5})
    done = cells_done(plan, store)
    assert done == {"train-0"}
    assert measured(plan, store, done).cells["train-0"].cost == 7.0
    assert measured(plan, store, frozenset()).cells["train-0"].cost == 1.0
    assert measured(plan, store).cells["train-0"].memory == 5
