"""Options are one value from a suite to a worker: made once, typed, equal on both sides."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.definitions import Definition, StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.json_values import canonical
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning import options as planning
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.options import complete, training_options
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.running.context import Context
from recmerge_bench.running.jobs import config_of, job_spec
from recmerge_bench.specs import StrategySpec
from recmerge_bench.training.options import TrainOptions

ROLES = ("dataset", "protocol", "encoder", "model", "strategy")


def across(value: object) -> Any:
    """What another process reads of it."""
    return json.loads(json.dumps(value))


@pytest.fixture(scope="module")
def plan(registry: Registry) -> Plan:
    return build(load_suite("quick", registry), registry)


def test_every_plugins_options_are_the_same_value_in_the_next_process(registry: Registry) -> None:
    assert len(registry.specs) > 100
    for (kind, name), spec in registry.specs.items():
        options = complete(spec, {}, "here")
        again = CompleteOptions.read(across(options.to_json()))
        assert again == options and hash(again) == hash(options), (kind, name)
        assert again.typed == options.typed, (kind, name)
        assert again.definition().options == options.definition().options
        assert type(options.typed) is type(options.definition()).Options


def test_they_are_made_once_whoever_asks_and_however_keys_are_ordered(registry: Registry) -> None:
    ties = registry.get("strategy", "ties")
    one = complete(ties, {"density": 0.3, "scale": 0.5}, "here")
    assert complete(ties, {"scale": 0.5, "density": 0.3}, "there") is one
    assert complete(ties, {"density": 0.3}, "here") != one
    trained = training_options({"steps": 3, "lr": 0.5}, "here")
    assert training_options({"lr": 0.5, "steps": 3}, "there") is trained
    assert isinstance(trained, TrainOptions) and trained.steps == 3


def test_no_caller_can_change_them(registry: Registry) -> None:
    spec = registry.get("strategy", "task-arithmetic-validated")
    options = complete(spec, {"scales": [0.1, 0.2]}, "here")
    options.values["scales"] = [9.0]
    options.values["scales"].append(9.0)  # type: ignore[union-attr]
    options.to_json()["options"]["scales"] = []  # type: ignore[index,call-overload]
    assert options.values["scales"] == [0.1, 0.2]
    assert options.definition().options.scales == (0.1, 0.2)
    assert options.definition() is not options.definition()  # what one learns no other knows
    with pytest.raises(AttributeError):
        options.target = "x"  # type: ignore[misc]


def test_a_number_of_another_type_is_another_value() -> None:
    whole, broken = (CompleteOptions.of("a:B", {"heads": n}) for n in (2, 2.0))
    assert whole != broken
    assert CompleteOptions.of("a:B", {"heads": 2}) != CompleteOptions.of("a:C", {"heads": 2})
    assert whole.number("heads", 7) == 2 and whole.number("width", 7) == 7
    assert whole.get("heads") == 2 and whole.get("width") is None


@pytest.mark.parametrize(
    "other", [None, {}, [], {"target": "a:B"}, {"target": 3, "options": {}}, {"options": {}}]
)
def test_what_is_no_class_with_options_is_not_read(other: object) -> None:
    with pytest.raises(ValueError, match="no class with its options"):
        CompleteOptions.read(other)


def test_a_plan_checks_each_set_of_options_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[tuple[str, str]] = Counter()  # plugin and options
    checked = planning._checked

    def counted(cls: type, given: Any, where: str) -> Any:
        made[where.rpartition(", ")[2], canonical(given)] += 1
        return checked(cls, given, where)

    monkeypatch.setattr(planning, "_checked", counted)
    monkeypatch.setattr(planning, "_MADE", {})
    build(load_suite("ml100k", registry), registry)
    assert len(made) > 30 and set(made.values()) == {1}


def told(cell: Cell, plan: Plan, role: str) -> CompleteOptions:
    """The options that a cell's worker reads from what it is handed."""
    config = across(job_spec(cell, plan, Path("out")))["config"]
    here = Path()
    return Context(config, {}, here, here, 0, 1, "cpu", print).options(role)


def test_a_worker_reads_what_the_plan_made(plan: Plan, registry: Registry) -> None:
    ties = complete(registry.get("strategy", "ties"), {"density": 0.2}, "here")
    sasrec = {"width": 64, "layers": 2, "heads": 2, "max_len": 50}
    (merge,) = {c.key: c for c in plan.cells.values() if "merge sasrec ties" in c.label
                and c.seed == 0}.values()  # fmt: skip
    assert told(merge, plan, "strategy") == ties
    model = told(merge, plan, "model")
    assert model == complete(registry.get("backbone", "sasrec"), sasrec | model.values, "here")
    assert sasrec.items() <= model.values.items()
    for cell in plan.cells.values():
        for role in ROLES:
            if role in config_of(cell):
                assert told(cell, plan, role).definition()


def test_a_worker_reads_the_training_that_the_plan_made(plan: Plan) -> None:
    trainings = [across(config_of(c)["training"]) for c in plan.cells.values() if c.kind == "train"]
    own = [t for t in trainings if t]  # none of counting recommenders
    assert len(own) > 20
    for training in own:
        read = TrainOptions.from_json(training)
        assert training_options(training, "here") == read and read.to_json() == training


class Pairs(Definition):
    """Options of nested lists, and of something that JSON has not."""

    @dataclass(frozen=True)
    class Options:
        """Pairs."""

        pairs: tuple[tuple[int, int], ...] = ((1, 2),)


class Sets(StrategyDefinition):
    """Likewise."""

    @dataclass(frozen=True)
    class Options:
        """A set."""

        layers: frozenset[int] = frozenset({1})

    def merge(self, given: Any) -> Any:
        """Nothing."""


def test_nested_lists_are_tuples_on_both_sides() -> None:
    options = CompleteOptions.of(f"{__name__}:Pairs", {"pairs": [[3, 4], [5, 6]]})
    again = CompleteOptions.read(across(options.to_json()))
    assert options.typed == again.typed == Pairs.Options(((3, 4), (5, 6)))


def test_an_option_that_json_has_no_form_of_is_refused_in_one_line() -> None:
    spec = StrategySpec("sets", f"{__name__}:Sets", "Sets.", inputs=("base", "experts"))
    with pytest.raises(HandledError, match=r"here, sets: frozenset\(\{1\}\) has no form as JSON"):
        complete(spec, {}, "here")


def test_labels_and_variants_say_nothing_to_cells(registry: Registry) -> None:
    """Rows called otherwise are the same cells: what is computed is read from options alone."""
    keys = []
    for variant in (None, "density=0.9,scale=7", "x"):
        row = {"method": "ties", "options": {"density": 0.2}, "variant": variant}
        track = {
            "dataset": "ml-100k", "domains": ["action", "comedy"], "protocols": ["loo"],
            "backbones": {"sasrec": {}}, "rows": [row],
        }  # fmt: skip
        suite = load_suite({"name": "called", "tracks": {"t": track}}, registry)
        made = build(suite, registry)
        keys.append(list(made.cells))
        assert {r.identity["variant"] for r in made.results} == {variant or "density=0.2"}
        assert made.results[0].configuration is not None
        assert made.results[0].configuration.method.options["density"] == 0.2
    assert keys[0] == keys[1] == keys[2]
