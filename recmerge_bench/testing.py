"""Conformance tests that plugin authors inherit; needs pytest.

from recmerge_bench.testing import StrategyConformance

class TestMedian(StrategyConformance):
    @pytest.fixture
    def strategy(self):
        return Median()
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
import torch

from recmerge_bench.definitions import Expert, StrategyDefinition, WeightsOnly
from recmerge_bench.merging.isolation import Sealed, given_for, sealed

SHAPES = {"a.weight": (6, 4), "a.bias": (6,), "z": (3, 5)}


def models(count: int = 3, seed: int = 0) -> Sealed:
    """A base and experts that moved from it at random, as a T0 strategy is handed them."""
    generator = torch.Generator().manual_seed(seed)

    def draw(scale: float) -> dict[str, torch.Tensor]:
        return {n: torch.randn(s, generator=generator) * scale for n, s in SHAPES.items()}

    base = draw(1.0)
    experts = []
    for number in range(count):
        change = draw(0.1)
        experts.append(Expert(f"d{number}", {n: base[n] + change[n] for n in base}))
    return given_for("T0", base, tuple(experts), seed)


class StrategyConformance:
    """What every strategy of tier T0 that gives one model has to do.

    Attributes:
        order_matters: the result may depend on the order of the experts (it draws, or the later
            of equals wins).
    """

    order_matters: ClassVar[bool] = False

    @pytest.fixture
    def strategy(self) -> StrategyDefinition:
        """The strategy under test: override it."""
        raise NotImplementedError

    def test_names_shapes_and_types_are_the_bases(self, strategy: StrategyDefinition) -> None:
        """All of them, finite."""
        given = models()
        merged = strategy.merge(given)
        assert set(merged) == set(given.base)
        for name, tensor in merged.items():
            like = given.base[name]
            assert tensor.shape == like.shape and tensor.dtype == like.dtype
            assert bool(tensor.isfinite().all())

    def test_what_is_handed_in_stays_as_it_was(self, strategy: StrategyDefinition) -> None:
        """Base and experts."""
        given, before = models(), models()
        strategy.merge(given)
        for name, tensor in before.base.items():
            assert torch.equal(given.base[name], tensor)
        for mine, theirs in zip(given.experts, before.experts, strict=True):
            assert all(torch.equal(mine.weights[n], t) for n, t in theirs.weights.items())

    def test_the_same_input_gives_the_same_bytes(self, strategy: StrategyDefinition) -> None:
        """Whatever the global random state is."""
        first = strategy.merge(models())
        torch.rand(3)
        second = strategy.merge(models())
        assert all(torch.equal(first[n], second[n]) for n in first)

    def test_experts_equal_to_the_base_give_the_base(self, strategy: StrategyDefinition) -> None:
        """No task vector, no change."""
        base = models().base
        given = given_for("T0", base, tuple(Expert(d, dict(base)) for d in "abc"), 0)
        for name, tensor in strategy.merge(given).items():
            torch.testing.assert_close(tensor, base[name], atol=1e-6, rtol=0)

    def test_half_precision_is_merged_in_fp32(self, strategy: StrategyDefinition) -> None:
        """And rounded once, at the end."""
        given = models()

        def cast(given: WeightsOnly, dtype: torch.dtype) -> Sealed:
            experts = (
                Expert(e.domain, {n: t.to(dtype) for n, t in e.weights.items()})
                for e in given.experts
            )
            base = {n: t.to(dtype) for n, t in given.base.items()}
            return given_for("T0", base, tuple(experts), given.seed)

        half = cast(given, torch.float16)
        exact = strategy.merge(cast(half, torch.float32))
        for name, tensor in strategy.merge(half).items():
            assert tensor.dtype == torch.float16
            assert torch.equal(tensor, exact[name].half())

    def test_the_order_of_experts(self, strategy: StrategyDefinition) -> None:
        """Changes nothing, or the class says so."""
        if self.order_matters:
            pytest.skip("this strategy says that the order matters")
        given = models()
        other = given_for("T0", given.base, given.experts[::-1], given.seed)
        merged = strategy.merge(other)
        for name, tensor in strategy.merge(given).items():
            torch.testing.assert_close(tensor, merged[name], atol=1e-5, rtol=0)

    def test_no_file_is_opened(self, strategy: StrategyDefinition, tmp_path: Path) -> None:
        """Weights are handed over; a strategy of tier T0 reads nothing else."""
        strategy.merge(models())  # imports what it needs
        with sealed([tmp_path]) as opened:
            strategy.merge(models())
        assert opened == []
