"""Plans of temporal tracks: which model starts from which, and what has no meaning there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import discover

TRACK: dict[str, Any] = {
    "kind": "temporal",
    "dataset": "synthetic",
    "dataset_options": {"users": 20, "items": 20, "n_domains": 1, "clusters": 4},
    "domains": ["d0"],
    "protocols": ["phases-8-masked"],
    "profile": "cpu",
    "training": {"steps": 2, "epochs": 0},
    "backbones": {"sasrec": {"options": {"width": 8, "layers": 1, "heads": 1, "max_len": 8}}},
    "rows": ["weight-averaging"],
}


def plan_of(**changes: Any) -> Plan:
    suite = {"name": "time", "metrics": ["NDCG@10"], "tracks": {"t": {**TRACK, **changes}}}
    return build(Suite.model_validate(suite), discover())


def served(plan: Plan, method: str) -> list[Cell]:
    """The models of a row, in the order of the tested phases."""
    (result,) = [r for r in plan.results if r.identity["method"] == method]
    inputs = plan.cells[result.key].inputs
    return [plan.cells[inputs[f"model:phase-{q}"]] for q in range(4, 9)]


def span(plan: Plan, cell: Cell) -> list[int]:
    """The phases that a training is of."""
    phases: list[int] = plan.cells[cell.inputs["split"]].job["config"]["phases"]
    return phases


def test_a_merge_takes_the_phases_before_the_tested_one() -> None:
    plan = plan_of()
    for last, merge in enumerate(served(plan, "weight-averaging"), 3):
        experts = [r for r in merge.inputs if r.startswith("expert:")]
        assert experts == [f"expert:phase-{p}" for p in range(2, last + 1)]
        assert span(plan, plan.cells[merge.inputs["base"]]) == [1, 1]
        for role in experts:
            expert = plan.cells[merge.inputs[role]]
            assert expert.inputs["base"] == merge.inputs["base"]


def test_models_may_start_from_the_phase_before() -> None:
    plan = plan_of(phase_models="previous", rows=["fine-tune", "continue-training"])
    assert served(plan, "fine-tune") == served(plan, "continue-training")


def test_continued_starts_from_the_phase_before() -> None:
    plan = plan_of(rows=["continue-training"])
    models = served(plan, "continue-training")
    for earlier, later in pairwise(models):
        assert later.inputs["base"] == earlier.key
    assert [span(plan, m) for m in models] == [[p, p] for p in range(3, 8)]


def test_retraining_is_on_all_phases_from_the_start() -> None:
    plan = plan_of(rows=["joint"])
    models = served(plan, "joint")
    assert [span(plan, m) for m in models] == [[1, p] for p in range(3, 8)]
    assert len({m.inputs["base"] for m in models}) == 1


def test_counting_rows_count_all_phases_before() -> None:
    plan = plan_of(rows=["popularity"])
    assert [span(plan, m) for m in served(plan, "popularity")] == [[1, p] for p in range(3, 8)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocols": ["loo"]}, "'loo' has no phases"),
        ({"rows": ["adamerging"]}, "T0 and T1 merge phases"),
        ({"rows": ["emr"]}, "makes a model for each expert"),
        ({"source": "d0"}, "takes no `source:`"),
        ({"rows": ["abxi"]}, "is for several domains"),
        ({"rows": [{"method": "mergerec", "curve": 5}]}, "have no meaning there"),
    ],
)
def test_what_has_no_meaning_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(HandledError, match=words):
        plan_of(**changes)


def test_continued_is_for_temporal_tracks() -> None:
    with pytest.raises(HandledError, match="kind: temporal"):
        plan_of(kind="domains", rows=["continue-training"], protocols=["loo"])
