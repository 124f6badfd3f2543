"""Wrong strategies fail the requirement that is theirs, with words that say what is wrong."""

from __future__ import annotations

import gc
import os
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from virtual_device import second_device

from recmerge_bench.api import StrategyDefinition
from recmerge_bench.conformance import common
from recmerge_bench.conformance.kinds import requirements, subject
from recmerge_bench.conformance.requirement import Outcome, try_requirement
from recmerge_bench.data.sequences import Split


class Mean(StrategyDefinition):
    """The experts' mean: right, and the base of the wrong ones."""

    def merge(self, given: Any) -> dict[str, Any]:
        return {n: self.mean(given, n).to(t.dtype) for n, t in given.base.items()}

    def mean(self, given: Any, name: str) -> Any:
        return torch.stack([e.weights[name].float() for e in given.experts]).mean(0)


class InPlace(Mean):
    def merge(self, given: Any) -> dict[str, Any]:
        next(iter(given.base.values())).add_(1.0)
        return super().merge(given)


class Draws(Mean):
    def mean(self, given: Any, name: str) -> Any:
        return super().mean(given, name) + 1e-5 * torch.randn(())


class Flattens(Mean):
    def merge(self, given: Any) -> dict[str, Any]:
        return {n: t.reshape(-1) for n, t in super().merge(given).items()}


class Shifts(Mean):
    def mean(self, given: Any, name: str) -> Any:
        return super().mean(given, name) + 0.01


class Halves(Mean):
    def mean(self, given: Any, name: str) -> Any:
        return torch.stack([e.weights[name] / 3 for e in given.experts]).sum(0)


class LastWins(Mean):
    def mean(self, given: Any, name: str) -> Any:
        return given.experts[-1].weights[name].float()


class ThreeExperts(Mean):
    def mean(self, given: Any, name: str) -> Any:
        one, two, three = (e.weights[name].float() for e in given.experts)
        return (one + two + three) / 3


class SaysEntry(Mean):
    scope = "entry"

    def mean(self, given: Any, name: str) -> Any:
        mean = super().mean(given, name)
        return given.base[name] + (mean - given.base[name]) * (1 + mean.std())


class Forgets(Mean):
    def mean(self, given: Any, name: str) -> Any:
        return torch.zeros_like(given.base[name])


class SetsThreads(Mean):
    def merge(self, given: Any) -> dict[str, Any]:
        os.environ["WRONG"] = str(random.random())
        torch.set_default_dtype(torch.float64)
        merged = super().merge(given)
        torch.set_num_threads(torch.get_num_threads() + 1)
        return merged


class ReadsFile(Mean):
    def merge(self, given: Any) -> dict[str, Any]:
        Path(os.environ["SECRET"]).read_text()
        return super().merge(given)


class AsksForUsers(Mean):
    def merge(self, given: Any) -> dict[str, Any]:
        return dict(given.users.net(given.base).state_dict())


class WalksMemory(Mean):
    def merge(self, given: Any) -> dict[str, Any]:
        for thing in gc.get_objects():
            if issubclass(type(thing), Split):  # isinstance would ask the thing itself
                len(thing.sequences)
        return super().merge(given)


class OnTheCPU(Mean):
    def mean(self, given: Any, name: str) -> Any:
        return super().mean(given, name) + torch.zeros(given.base[name].shape)


WRONG: dict[type[Mean], tuple[str, str]] = {
    Flattens: ("shapes", "the base has"),
    InPlace: ("inputs-untouched", "changed the base's a.0.weight that it was handed"),
    Draws: ("determinism", "run twice with one seed, 'a.0.weight' differs by up to"),
    Shifts: ("no-change-no-change", "moved by 0.01"),
    Halves: ("half-precision", "from the rounded merge"),
    LastWins: ("order-of-experts", "in reverse order"),
    ThreeExperts: ("widths", "not enough values to unpack"),
    SaysEntry: ("scope-kept", "streamed differs"),
    Forgets: ("quality", "NDCG@10 is"),
    SetsThreads: ("no-side-effects", "os.environ (WRONG)"),
    ReadsFile: ("tier-kept", "tier T0: merge() opened"),
    AsksForUsers: ("tier-kept", "declare the tier it needs"),
    WalksMemory: ("tier-kept", "found users' data in the process's memory"),
}


def tried(definition: Any, name: str, **facts: Any) -> Outcome:
    [each] = [r for r in requirements("strategy") if r.name == name]
    return try_requirement(each, subject("strategy", definition, **facts))


@pytest.fixture(autouse=True)
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.csv").write_text("secret")
    monkeypatch.setenv("SECRET", str(tmp_path / "users.csv"))
    monkeypatch.delenv("WRONG", raising=False)


def test_the_right_one_passes() -> None:
    for each in requirements("strategy"):
        outcome = try_requirement(each, subject("strategy", Mean()))
        assert outcome.status != "failed", outcome


@pytest.mark.parametrize("wrong", WRONG, ids=lambda w: w.__name__)
def test_a_wrong_one_fails_with_the_right_words(wrong: type[Mean]) -> None:
    name, words = WRONG[wrong]
    threads = torch.get_num_threads()
    outcome = tried(wrong(), name)
    assert outcome.status == "failed" and words in outcome.what, outcome
    assert outcome.why and outcome.remedy
    assert torch.get_default_dtype() == torch.float32 and torch.get_num_threads() == threads
    assert "WRONG" not in os.environ, "what it changed is put back"


def test_a_tier_that_is_not_needed_is_told() -> None:
    outcome = tried(Mean(), "tier-kept", tier="T3")
    assert "never asks for given.sequences or given.users" in outcome.what


def test_what_costs_too_much_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common, "SECONDS", 0.0)
    outcome = tried(Mean(), "time-and-memory")
    assert outcome.status == "failed" and "s on the tiny data" in outcome.what
    assert outcome.measured["seconds"] > 0


def test_a_second_device() -> None:
    with second_device():
        assert tried(Mean(), "devices", device="cuda").status == "passed"
        outcome = tried(OnTheCPU(), "devices", device="cuda")
    assert outcome.status == "failed" and "tensors of both devices" in outcome.what


def test_one_that_says_that_order_matters_is_not_asked() -> None:
    assert tried(LastWins(), "order-of-experts", order_matters=True).status == "skipped"
