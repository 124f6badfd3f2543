"""What every merge strategy has to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recmerge_bench.borders.merges import check_each, check_merged
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.devices import some_device
from recmerge_bench.conformance.merging_world import merging_world, models, with_experts
from recmerge_bench.conformance.requirement import Unmet, Untried, requirement
from recmerge_bench.conformance.state import changes
from recmerge_bench.conformance.subject import Subject, as_arrays
from recmerge_bench.conformance.watch import bait_of, watched
from recmerge_bench.conformance.worlds import chance
from recmerge_bench.definitions import Expert, StrategyDefinition
from recmerge_bench.errors import HandledError, PluginError
from recmerge_bench.merging.in_memory import Collected, Held
from recmerge_bench.merging.stream import Streamed
from recmerge_bench.tiers import TIERS, IsolationError, MergeInput
from recmerge_bench.toolkit.merging.adapters import PREFIX

Merged = dict[str, dict[str, Tensor]]
#: How much better than chance a merge of experts of learnable data has to rank, at the least.
BETTER_THAN_CHANCE = 1.3
#: Scope -> shapes that take several stretches.
_STREAMED: Mapping[str, dict[str, tuple[int, ...]]] = {
    "entry": {"big": (600, 450), "small": (3,)},
    "tensor": {"one": (12, 8), "other": (5, 7)},
    "model": {"big": (600, 450), "small": (3,)},
}
#: Attributes of a `MergeInput` that hold what a tier adds to the one below.
_ADDED = {
    "T1": ("items", "users"), "T2": ("grams",), "T3": ("sequences", "users"), "T4": ("validation",)
}  # fmt: skip


@dataclass
class StrategySubject(Subject):
    """A strategy under test.

    Attributes:
        tier: that it declares.
        order_matters: its result may depend on the order of the experts.
        passthrough: it merges nothing.
    """

    tier: str = field(default="T0", kw_only=True)
    order_matters: bool = field(default=False, kw_only=True)
    passthrough: bool = field(default=False, kw_only=True)

    @property
    def runs_models(self) -> bool:
        """Whether it is handed models to run; else it is tried on tensors alone, too."""
        return TIERS[self.tier].runs_models

    def given(self, count: int | None = None) -> MergeInput:
        """What it is handed: a tiny model's experts, or tensors of many shapes for tier T0."""
        count = self.count() if count is None else count
        return merging_world().given(self.tier, count) if self.runs_models else models(count)

    def count(self) -> int:
        """The number of experts that it takes: three, or two where it takes no other."""
        if "count" not in self.kept:
            self.kept["count"] = 3
            try:
                with changes():
                    self._made(self.given(3))
            except PluginError:
                pass
            except HandledError:
                self.kept["count"] = 2
            except Exception:
                pass  # the requirement that runs it next tells
        number: int = self.kept["count"]
        return number

    def merged(self, given: MergeInput) -> Merged:
        """Domain -> checked tensors; "" for one model of all."""
        if self.passthrough:
            raise Untried("it passes trained models on: nothing is merged")
        return self._made(given)

    def _made(self, given: MergeInput) -> Merged:
        strategy: StrategyDefinition = self.definition
        if strategy.modulated:
            domains = [e.domain for e in given.experts]
            return check_each(strategy, given.base, domains, strategy.merge_each(given), PREFIX)
        return {"": check_merged(strategy, given.base, strategy.merge(given))}

    def warm(self) -> None:
        """The number of experts that it takes, and the experts."""
        if not self.passthrough:
            self.given(self.count())

    def outputs(self) -> dict[str, np.ndarray]:
        """The merged tensors, and what they were merged from afterwards."""
        given = self.given()
        merged = self.merged(given)
        self.kept.setdefault("merged", merged)
        return {**flat(merged), **_input_arrays(given)}

    def first_merged(self) -> Merged:
        """What the first run merged."""
        self.first()
        merged: Merged = self.kept["merged"]
        return merged


def flat(merged: Merged) -> dict[str, np.ndarray]:
    """Merged tensors as arrays, the domain before the name."""
    return {
        name: array
        for domain, tensors in merged.items()
        for name, array in as_arrays(tensors, f"{domain}/" if domain else "").items()
    }


@requirement(
    "shapes",
    "names, shapes, dtypes and device of what is merged are the base's; no NaN",
    why="the merged tensors are loaded into the model by name, strictly",
    remedy="give exactly the names of given.base, each like its tensor: "
    "merged.reshape(base.shape).to(base.dtype)",
)
def shapes(subject: StrategySubject) -> None:
    """By the checks that a run makes."""
    subject.first()


@requirement(
    "inputs-untouched",
    "base and experts stay as they were handed over",
    why="the next strategy, or the next step of this one, would merge something else",
    remedy="work on copies: clone() before operations that end in an underscore, `out=` and `+=`",
)
def inputs_untouched(subject: StrategySubject) -> None:
    """Bytes before and after."""
    after = subject.first().outputs
    for name, array in _input_arrays(subject.given()).items():
        if not np.array_equal(array, after[name]):
            raise Unmet(f"merge() changed {name} that it was handed")


def _input_arrays(given: MergeInput) -> dict[str, np.ndarray]:
    held = as_arrays(given.base, "the base's ")
    for expert in given.experts:
        held |= as_arrays(expert.weights, f"{expert.domain}'s ")
    return held


@requirement(
    "no-change-no-change",
    "experts that equal the base give the base",
    why="what is merged are changes; a method that moves weights without one adds noise of its own",
    remedy="merge differences from given.base (recmerge_bench.toolkit.merging.task_vectors)",
)
def no_change(subject: StrategySubject) -> None:
    """No task vector, no change."""
    given = subject.given()
    same = tuple(
        Expert(e.domain, {n: t.clone() for n, t in given.base.items()}) for e in given.experts
    )
    merged = subject.merged(with_experts(given, same))
    for tensors in merged.values():
        for name, tensor in given.base.items():
            away = float((tensors[name] - tensor).abs().max()) if tensor.numel() else 0.0
            if away > 1e-4:
                raise Unmet(f"three experts equal to the base, and '{name}' moved by {away:.3g}")


@requirement(
    "half-precision",
    "half-precision weights are merged in float32 and rounded once",
    why="sums of small differences in half precision lose most of their digits",
    remedy="compute with tensor.float() and cast once at the end: .to(given.base[name].dtype)",
)
def half_precision(subject: StrategySubject) -> None:
    """The same numbers in float16 and in float32."""
    if subject.runs_models:
        raise Untried("models that strategies run are float32")
    half = _cast(subject.given(), torch.float16)
    exact = subject.merged(_cast(half, torch.float32))
    for domain, tensors in subject.merged(half).items():
        for name, tensor in tensors.items():
            rounded = exact[domain][name].half()
            if not torch.equal(tensor, rounded.to(tensor.dtype)):
                away = float((tensor.float() - rounded.float()).abs().max())
                raise Unmet(f"'{name}' in half precision is {away:.3g} from the rounded merge")


def _cast(given: MergeInput, dtype: torch.dtype) -> MergeInput:
    experts = tuple(
        Expert(e.domain, {n: t.to(dtype) for n, t in e.weights.items()}) for e in given.experts
    )
    return MergeInput({n: t.to(dtype) for n, t in given.base.items()}, experts, given.seed)


@requirement(
    "order-of-experts",
    "the order of the domains changes nothing, or the class says that it does",
    why="the order in a suite's file is an accident; a result that hangs on it is not the method's",
    remedy="treat the experts alike; where the method draws for each, or the later of equals wins, "
    "say `order_matters = True` in the class",
)
def order_of_experts(subject: StrategySubject) -> None:
    """The same experts, the last one first."""
    if subject.order_matters or subject.definition.order_matters:
        raise Untried("the class says that the order matters")
    if subject.runs_models:
        raise Untried("its draws are named by the experts' numbers (Users.generator)")
    given = subject.given()
    one = subject.merged(given)
    other = subject.merged(with_experts(given, given.experts[::-1]))
    for domain, tensors in one.items():
        for name, tensor in tensors.items():
            away = float((tensor - other[domain][name]).abs().max()) if tensor.numel() else 0.0
            if away > 1e-5:
                raise Unmet(f"with the experts in reverse order '{name}' differs by {away:.3g}")


@requirement(
    "tier-kept",
    "it reads what its data tier allows, and needs the tier",
    why="boards tell what of the users each method has seen, and isolated tracks admit no more",
    remedy="declare in the spec the tier that the method needs (T0: weights; T1: items; T2: "
    "statistics; T3: training histories; T4: validation labels), and read nothing but `given`",
)
def tier_kept(subject: StrategySubject) -> None:
    """Files, networks, processes, held-out data in memory and in the frames above, the tier."""
    subject.first()  # imports what it needs
    given, asked = subject.given(), set[str]()
    split = bait_of(merging_world().split)  # a frame above merge() has it, and nobody is given it
    with _noting(given, asked) as noted, watched() as caught:
        try:
            subject.merged(noted)
        except IsolationError as error:
            raise Unmet(f"tier {subject.tier}: {error}") from None
    if caught:
        raise Unmet(f"tier {subject.tier}: merge() {caught[0]}")
    if split.touched:
        raise Unmet(
            f"tier {subject.tier}: merge() found users' data in the process's memory and read its "
            f"{split.touched[0]}"
        )
    added = _ADDED.get(subject.tier)
    if added and not asked & set(added):
        raise Unmet(
            f"it declares tier {subject.tier} and never asks for given.{' or given.'.join(added)}: "
            "a lower tier would do"
        )


@contextmanager
def _noting(given: MergeInput, asked: set[str]) -> Iterator[MergeInput]:
    """The same input, which notes what of it is asked for."""

    class Noting(type(given)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            asked.add(name)
            return object.__getattribute__(self, name)

    held = {n: v for n, v in vars(given).items() if n != "notes"}
    base, experts, seed = (held.pop(n) for n in ("base", "experts", "seed"))
    yield Noting(base, experts, seed, **held)


@requirement(
    "widths",
    "one expert, five, and tensors of any shape merge",
    why="suites have two to eight domains, and models have scalars, vectors and convolutions",
    remedy="loop over given.experts and over given.base's names; give nothing a fixed size. A "
    "method for so many experts says so by a HandledError",
)
def widths(subject: StrategySubject) -> None:
    """Numbers of experts, and a wider model."""
    for count in (1, 2) if subject.runs_models else (1, 2, 5):
        try:
            subject.merged(subject.given(count))
        except PluginError:
            raise
        except HandledError:  # it says itself that it takes another number
            continue
    if subject.runs_models:
        subject.merged(merging_world(8).given(subject.tier, subject.count()))


@requirement(
    "scope-kept",
    "merged a stretch at a time, as its `scope` allows, weights come out the same",
    why="large checkpoints are streamed by that scope",
    remedy="say `scope = 'model'` where merge() has to see all tensors at once, 'tensor' where one "
    "is enough, 'entry' where any stretch of entries is",
)
def scope_kept(subject: StrategySubject) -> None:
    """The path of ``recmerge-bench merge`` against one call."""
    strategy: StrategyDefinition = subject.definition
    if subject.runs_models or subject.passthrough or strategy.modulated:
        raise Untried("it is not for checkpoints outside a suite")
    if strategy.scope == "model" and not strategy.prepass_scope():
        raise Untried("its scope is the whole model: nothing is streamed")
    given = models(subject.count(), shapes=_STREAMED[strategy.scope])
    whole = subject.merged(given)[""]
    source = Streamed(
        Held("base", given.base), [Held(e.domain, e.weights) for e in given.experts]
    )  # fmt: skip
    collected = Collected(source.kept)
    source.merge(strategy, collected, given.seed)
    for name, tensor in whole.items():
        away = float((tensor - collected.tensors[name]).abs().max())
        if away > 1e-5:
            raise Unmet(f"scope '{strategy.scope}': '{name}' streamed differs by {away:.3g}")


@requirement(
    "quality",
    f"the merge of experts of learnable data ranks {BETTER_THAN_CHANCE} times as well as chance",
    why="a merge that forgets what its experts know is broken, whatever it was meant to be",
    remedy="compare with the mean of the same experts; look at the scale of what is added "
    "to the base",
)
def quality(subject: StrategySubject) -> None:
    """Mean validation NDCG@10 over three domains, beside chance and the experts."""
    world = merging_world()
    merged = _of_trained(subject)
    reached = world.quality(_on_all(merged, subject.count()))
    experts = world.quality({e.domain: e.weights for e in world.experts})
    subject.measured["quality"] = {
        "NDCG@10": round(reached, 4), "chance": round(chance(), 4), "experts": round(experts, 4)
    }  # fmt: skip
    if reached < BETTER_THAN_CHANCE * chance():
        raise Unmet(
            f"NDCG@10 is {reached:.3f}; the experts have {experts:.3f}, chance {chance():.3f}"
        )


def _of_trained(subject: StrategySubject) -> Merged:
    """The merge of the tiny model's experts."""
    if subject.runs_models:
        return subject.first_merged()
    return subject.merged(merging_world().given(subject.tier, subject.count()))


def _on_all(merged: Merged, count: int) -> Mapping[str, Mapping[str, Tensor]]:
    """One model serves the domains that were merged."""
    if "" not in merged:
        return merged
    return {f"d{number}": merged[""] for number in range(count)}


@requirement(
    "devices",
    "weights that lie on another device are merged there",
    why="strategies that run models do so on the run's device",
    remedy="make tensors like those you are given (torch.zeros_like, tensor.new_empty), or on "
    "tensor.device; draw on the CPU from given.seed and move",
)
def devices(subject: StrategySubject) -> None:
    """The tier's input on the device; the result is the CPU's within rounding."""
    with some_device(subject) as device:
        given = merging_world().given(subject.tier, subject.count(), device)
        there = subject.merged(given)
    for domain, tensors in _of_trained(subject).items():
        for name, tensor in tensors.items():
            away = float((tensor - there[domain][name].cpu()).abs().max())
            if away > 0.05:
                raise Unmet(f"on {device} '{name}' differs from the CPU's by {away:.3g}")


REQUIREMENTS = (
    shapes, inputs_untouched, no_change, half_precision, order_of_experts, tier_kept, widths,
    scope_kept, quality, devices, *COMMON,
)  # fmt: skip

__all__ = ["REQUIREMENTS", "StrategySubject", "flat"]
