"""Specs say what their kind has, and take nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from recmerge_bench import api
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.specs import (
    KINDS,
    SPECS,
    BackboneSpec,
    CDSRSpec,
    CountingSpec,
    DatasetSpec,
    ExecutorSpec,
    MetricSpec,
    Profile,
    Spec,
    StrategySpec,
)

GOOD: dict[str, Any] = {"name": "mine", "target": "mine.part:Mine", "summary": "a line"}
MERGE = ("base", "experts")


def test_every_kind_has_a_spec_and_each_of_ours_is_one(registry: Registry) -> None:
    assert set(SPECS) == set(KINDS)
    assert all(isinstance(spec, SPECS[kind]) for (kind, _), spec in registry.specs.items())


@pytest.mark.parametrize(
    ("cls", "field"),
    [
        (DatasetSpec, "tier"),
        (DatasetSpec, "fidelity"),
        (MetricSpec, "deterministic"),
        (BackboneSpec, "inputs"),
        (BackboneSpec, "single_target"),
        (CountingSpec, "single_target"),
        (CDSRSpec, "deterministic"),
        (StrategySpec, "profiles"),
        (ExecutorSpec, "profiles"),
    ],
)
def test_a_field_of_another_kind_is_refused(cls: type[Spec], field: str) -> None:
    with pytest.raises(HandledError, match=f"{cls.__name__} has no field '{field}'"):
        cls(**GOOD, **{field: True})


def test_a_misspelt_field_gets_the_near_name() -> None:
    with pytest.raises(HandledError, match=r"no field 'input' \(did you mean 'inputs'"):
        StrategySpec(**GOOD, input=MERGE)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Bad Name!"}, "name takes lower-case letters"),
        ({"name": "mine\n"}, "name takes lower-case letters"),
        ({"name": "../mine"}, "name takes lower-case letters"),
        ({"name": ""}, "name takes lower-case letters"),
        ({"name": 7}, "name takes a text"),
        ({"target": "mine"}, 'target takes "package.module:Class"'),
        ({"target": "mine:"}, "target takes"),
        ({"target": "mine:A:B"}, "target takes"),
        ({"target": None}, "target takes a text"),
        ({"summary": "two\nlines"}, "summary takes one line"),
        ({"summary": ""}, "summary takes one line"),
        ({"options": ["a"]}, "options takes a mapping"),
        ({"options": {1: 2}}, "options takes a mapping"),
        ({"requires": "cma"}, "requires takes a tuple"),
        ({"licence": None}, "licence takes a text"),
        ({"fidelity": "good"}, "fidelity takes one of code-verified"),
        ({"tier": "T9"}, "tier takes one of T0, T1"),
        ({"tier": 0}, "tier takes one of T0, T1"),
        ({"inputs": ("bases",)}, "inputs takes a tuple of base, experts, joint"),
        ({"inputs": "base"}, "inputs takes a tuple"),
        ({"inputs": ()}, "inputs of a merge"),
        ({"inputs": ("base", "base")}, "inputs of a merge"),
        ({"inputs": ("joint",)}, "inputs of a merge"),
        ({"passthrough": True}, "inputs of what is passed through"),
        ({"passthrough": "no"}, "passthrough takes True or False"),
    ],
)
def test_a_wrong_value_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(HandledError, match=message):
        StrategySpec(**{**GOOD, "inputs": MERGE, **change})


def test_inputs_have_to_be_said() -> None:
    with pytest.raises(HandledError, match="StrategySpec 'mine' needs the field 'inputs'"):
        StrategySpec(**GOOD)


def test_models_profiles_are_profiles() -> None:
    assert BackboneSpec(**GOOD, profiles={"cpu": Profile({"width": 8})}).profiles
    with pytest.raises(HandledError, match="takes a Profile for each"):
        BackboneSpec(**GOOD, profiles={"cpu": {"width": 8}})  # type: ignore[dict-item]
    with pytest.raises(HandledError, match="training takes a mapping"):
        Profile({}, ["lr"])  # type: ignore[arg-type]


def test_a_model_of_another_library_has_the_librarys_name_before_it() -> None:
    for cls in (BackboneSpec, CDSRSpec, CountingSpec):
        assert cls(**{**GOOD, "name": "recbole:GRU4Rec"}).name == "recbole:GRU4Rec"
        for wrong in ("GRU4Rec", "RecBole:GRU4Rec", "recbole:", ":GRU4Rec", "a:b:c", "a: b", "a/b"):
            with pytest.raises(HandledError, match="or library:Model"):
                cls(**{**GOOD, "name": wrong})
    with pytest.raises(HandledError, match="lower-case letters and digits"):
        StrategySpec(**{**GOOD, "name": "library:Merge"}, inputs=MERGE)


def test_a_metric_is_spelt_as_usual() -> None:
    assert MetricSpec(**{**GOOD, "name": "NDCG"}).name == "NDCG"
    for name in ("NDCG@10", "n dcg", "NDCG="):
        with pytest.raises(HandledError, match="name takes letters"):
            MetricSpec(**{**GOOD, "name": name})


def test_the_form_of_earlier_versions_makes_the_kinds_spec() -> None:
    earlier: Any = Spec
    with pytest.warns(DeprecationWarning, match="write StrategySpec"):
        spec = earlier("strategy", "mine", "mine:Mine", "a line", inputs=MERGE)
    assert spec == StrategySpec("mine", "mine:Mine", "a line", inputs=MERGE)
    assert spec.place.startswith(f"{__file__}:")
    with pytest.warns(DeprecationWarning, match="write CountingSpec"):
        counted = earlier("backbone", "c", "mine:C", "a line", counting=True)
    assert counted == CountingSpec("c", "mine:C", "a line")
    with pytest.raises(HandledError, match="tier takes one of"), pytest.warns(DeprecationWarning):
        earlier("strategy", "mine", "mine:Mine", "x", inputs=MERGE, tier="T9")
    with pytest.raises(HandledError, match=r"kind 'stratgy' .did you mean 'strategy'.*DatasetSpec"):
        earlier("stratgy", "mine", "mine:Mine")
    with pytest.raises(HandledError, match="made as one of DatasetSpec, EncoderSpec"):
        earlier("mine", "mine:Mine", "a line")


def test_a_spec_knows_where_it_was_made() -> None:
    spec = StrategySpec(**GOOD, inputs=MERGE)
    again = dataclasses.replace(spec, summary="another line")
    assert spec.place.startswith(f"{__file__}:")
    assert again.place.startswith(f"{__file__}:") and again != spec


def test_names_of_earlier_versions_are_there_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="WeightsOnly is called MergeInput"):
        earlier = api.WeightsOnly
    assert earlier is api.MergeInput
    with pytest.raises(AttributeError, match="did you mean 'StrategySpec'"):
        _ = api.StrategySpecs
