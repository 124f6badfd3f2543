"""Rows of hybrids: which models are trained on what, and which are merged for which domain."""

from __future__ import annotations

from typing import Any

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.configuration import configured
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import discover
from recmerge_bench.specs import StrategySpec
from recmerge_bench.toolkit.merging.hybrids import HybridsSpec, name_of_two

TRACK: dict[str, Any] = {
    "dataset": "synthetic",
    "dataset_options": {"users": 30, "items": 20, "n_domains": 3},
    "domains": ["d0", "d1", "d2"],
    "protocols": ["loo"],
    "training": {"steps": 2, "epochs": 0},
    "backbones": {"sasrec": {"options": {"width": 8, "layers": 1, "heads": 1, "max_len": 8}}},
    "rows": ["fine-tune", "weaverec"],
}


def plan_of(**changes: Any) -> Plan:
    suite = {"name": "pairs", "metrics": ["NDCG@10"], "tracks": {"t": {**TRACK, **changes}}}
    return build(Suite.model_validate(suite), discover())


def models(plan: Plan, method: str) -> dict[str, Cell]:
    """Role -> the cell whose model ranks for a row."""
    (result,) = [r for r in plan.results if r.identity["method"] == method]
    inputs = plan.cells[result.key].inputs
    return {r: plan.cells[k] for r, k in inputs.items() if r.partition(":")[0] == "model"}


def trained_on(cell: Cell) -> list[str]:
    domains: list[str] = cell.job["config"]["domains"]
    return domains


def test_weaverec_merges_an_expert_and_its_hybrids() -> None:
    plan = plan_of()
    merges, experts = models(plan, "weaverec"), models(plan, "fine-tune")
    assert list(merges) == ["model:d0", "model:d1", "model:d2"]
    for target in ("d0", "d1", "d2"):
        merge = merges[f"model:{target}"]
        members = {r: plan.cells[k] for r, k in merge.inputs.items() if r.startswith("expert:")}
        assert len(members) == 3 and len({m.key for m in members.values()}) == 3
        base = merge.inputs["base"]
        for role, member in members.items():
            assert member.kind == "train" and member.inputs["base"] == base
            assert "+".join(trained_on(member)) == role.removeprefix("expert:")
            assert target in trained_on(member) and len(trained_on(member)) <= 2
        # The domain's own expert is the track's, and the last: its tables are the merged model's.
        assert members[f"expert:{target}"].key == experts[f"model:{target}"].key
        assert list(members)[-1] == f"expert:{target}"
        assert merge.job["config"]["domains"][-1] == target
    pairs = {c.label for c in plan.cells.values() if c.label.startswith("train sasrec hybrid")}
    assert len(pairs) == 3, "one hybrid serves the merges of both its domains"


def test_sharprec_trains_all_that_it_merges_alike() -> None:
    row = {"method": "sharprec", "training": {"sharpness": 0.01}}
    plan = plan_of(domains=["d0", "d1"], rows=["fine-tune", row])
    merges, experts = models(plan, "sharprec"), models(plan, "fine-tune")
    for target in ("d0", "d1"):
        merge = merges[f"model:{target}"]
        members = [plan.cells[k] for r, k in merge.inputs.items() if r.startswith("expert:")]
        assert [trained_on(m) for m in members] == [["d0", "d1"], [target]]
        assert [m.job["config"]["training"].sharpness for m in members] == [0.01, 0.01]
        assert experts[f"model:{target}"].key not in merge.inputs.values()


def test_the_configuration_says_how_hybrids_were_trained() -> None:
    rows = ["fine-tune", {"method": "weaverec", "training": {"steps": 3}}]
    plan = plan_of(domain_training={"d1": {"lr": 0.5}}, rows=rows)
    by_method = {r.identity["method"]: r.configuration for r in plan.results}
    weave, plain = by_method["weaverec"], by_method["fine-tune"]
    assert weave and plain and weave.training.hybrids
    assert weave.training.hybrids["steps"] == 3
    assert [weave.training.experts[d]["lr"] for d in ("d0", "d1")] == [0.001, 0.5]
    assert [e["steps"] for e in weave.training.experts.values()] == [3, 3, 3]
    entries = configured(plain)["configuration"]
    assert isinstance(entries, dict) and "hybrids" not in entries["training"], "as before"  # type: ignore[operator]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"isolated": True}, "is data-isolated: 'weaverec' merges models that are trained on data"),
        ({"experts": ["d0", "d1"]}, "scores 'd2', which has no expert"),
        ({"domains": ["d0"]}, "has one expert: 'weaverec' needs a second domain"),
        ({"domain_training": {"d1": {"users": 0.1}}}, "trains 'd1' on a part of its users"),
        ({"rows": [{"method": "weaverec", "curve": 4}]}, "one merge for each domain"),
        ({"kind": "temporal", "domains": ["d0"], "protocols": ["phases-8-masked"]},
         "is temporal: 'weaverec' merges models of two domains"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(HandledError, match=words):
        plan_of(**{"rows": ["weaverec"], **changes})


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"passthrough": True, "inputs": ("experts",)}, "passthrough of a merge of hybrids"),
        ({"tier": "T1"}, "tier of a merge of hybrids is T0"),
    ],
)
def test_a_spec_of_hybrids_merges_weights_alone(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(HandledError, match=words):
        HybridsSpec("mine", "mine:Merge", "a merge", **facts)
    assert isinstance(HybridsSpec("mine", "mine:Merge", "a merge"), StrategySpec)


def test_two_models_of_one_name_are_seen() -> None:
    """Domains of a stranger's dataset may have a plus in their names."""
    assert name_of_two(["p+q", "p", "q+p"]) == "p+q+p"
    assert name_of_two(["p", "q", "p+q"]) == "p+q"
    assert name_of_two(["p", "q", "r"]) == ""
