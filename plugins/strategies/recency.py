"""Averages over time: the later a phase, the more of its model (and exponential averages)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    hookimpl,
)

if TYPE_CHECKING:
    import torch

CHECK = "tests/plugins/test_recency.py"


@dataclass(frozen=True)
class Options:
    """Options of the average by recency.

    Attributes:
        decay: weight of an expert beside that of the next one; 1: all alike, above 1: the older
            the more. Experts come in the order of time.
        base: whether the base counts as one that is older than all.
    """

    decay: float = 0.5
    base: bool = False


class RecencyAverage(StrategyDefinition):
    """theta = sum_k w_k theta_k / sum_k w_k, w_k = decay^(K - k), over the experts in order.

    Idea: Later phases say more of what users want now. The models of all phases are averaged,
    with weights that fall by a constant factor for each phase further back. No data are read.
    """

    Options = Options
    order_matters = True

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """The weighted mean, tensor by tensor.

        Raises:
            HandledError: the decay is not above 0.
        """
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        if self.options.decay <= 0:
            raise HandledError(f"decay is {self.options.decay}; it is above 0")
        models = [e.weights for e in given.experts]
        models = [given.base, *models] if self.options.base else models
        ages = range(len(models) - 1, -1, -1)
        weights = [self.options.decay**age for age in ages]
        total = sum(weights)
        shares = [weight / total for weight in weights]
        given.note("shares", shares)
        return weighted_sum(models, shares)


@dataclass(frozen=True)
class ExponentialOptions:
    """Options of the exponential average.

    Attributes:
        rate: share of a new expert; the rest stays as it was before it.
    """

    rate: float = 0.5


class ExponentialAverage(StrategyDefinition):
    """theta_k = (1 - rate) theta_(k - 1) + rate * expert_k, from the base on, experts in order.

    Idea: One running average stands for all phases. Each new phase's model is mixed into it
    by a fixed rate. Only the average has to be kept.
    """

    Options = ExponentialOptions
    order_matters = True

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """The same as one weighted sum.

        Raises:
            HandledError: the rate is not within 0 and 1.
        """
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        rate = self.options.rate
        if not 0 < rate <= 1:
            raise HandledError(f"rate is {rate}; it is above 0 and at most 1")
        count = len(given.experts)
        shares = [(1 - rate) ** count]
        shares += [rate * (1 - rate) ** (count - k) for k in range(1, count + 1)]
        given.note("shares", shares)
        return weighted_sum([given.base, *(e.weights for e in given.experts)], shares)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``recency-average`` and ``exponential-average``."""
    return [
        StrategySpec(
            name="recency-average",
            target=f"{__name__}:RecencyAverage",
            summary="Mean of the experts, later ones weighted more",
            checks=(
                Check(
                    "own: the closed form on numbers worked out by hand",
                    f"{CHECK}::test_later_models_weigh_more",
                    "1e-6 relative: sums in fp32",
                ),
            ),
            inputs=("base", "experts"),
        ),
        StrategySpec(
            name="exponential-average",
            target=f"{__name__}:ExponentialAverage",
            summary="Exponential moving average over the experts in their order",
            checks=(
                Check(
                    "own: one update after the other",
                    f"{CHECK}::test_the_sum_is_one_update_after_the_other",
                    "1e-6 relative: sums in fp32",
                ),
            ),
            inputs=("base", "experts"),
        ),
    ]
