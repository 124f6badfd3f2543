"""Weight averaging: the mean of the experts, uniform (model soups) or weighted by domain.

Idea: Models that were fine-tuned from the same base lie in one basin of the loss. The mean of
their weights lies in it too, and often does as well as each. It needs no option and no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from recmerge_bench.api import (
    Check,
    Expert,
    HandledError,
    MergeInput,
    Spec,
    StrategyDefinition,
    StrategySpec,
    hookimpl,
)

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Options:
    """Options of weight averaging.

    Attributes:
        weights: domain -> its expert's weight, or the weights in the experts' order; none are
            negative, and they are divided by their sum. All alike where there are none.
    """

    weights: dict[str, float] | list[float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = self.weights.values() if isinstance(self.weights, dict) else self.weights
        if any(weight < 0 for weight in given):
            raise HandledError("weight-averaging: no weight is negative")
        if self.weights and sum(given) <= 0:
            raise HandledError("weight-averaging: some weight is above zero")


def shares(weights: dict[str, float] | list[float], experts: Sequence[Expert]) -> list[float]:
    """Each expert's share, in their order; they sum to one.

    Args:
        weights: see `Options`.
        experts: those that are merged.

    Raises:
        HandledError: weights that are not the experts', one each.
    """
    domains = [expert.domain for expert in experts]
    if not weights:
        return [1.0 / len(domains)] * len(domains)
    if isinstance(weights, dict):
        if sorted(weights) != sorted(domains):
            raise HandledError(
                f"weight-averaging: weights are of {', '.join(sorted(weights))}; the experts are "
                f"{', '.join(domains)}, and each has one"
            )
        values = [weights[domain] for domain in domains]
    else:
        values = list(weights)
    if len(values) != len(domains):
        raise HandledError(
            f"weight-averaging: {len(values)} weights for {len(domains)} experts: give each one"
        )
    return [value / sum(values) for value in values]


class WeightAveraging(StrategyDefinition):
    """theta = sum_k w_k theta_k / sum_k w_k; uniform by default: theta = (1/K) sum theta_k."""

    Options = Options
    scope = "entry"

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """Mean of the experts, tensor by tensor, accumulated in place.

        Raises:
            HandledError: weights that are not the experts', one each.
        """
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        own = shares(self.options.weights, given.experts)
        return weighted_sum([e.weights for e in given.experts], own)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``weight-averaging``."""
    return [
        StrategySpec(
            name="weight-averaging",
            target=f"{__name__}:WeightAveraging",
            summary="Mean of the experts' weights, uniform or weighted by domain",
            checks=(
                Check(
                    "Wortsman et al., section 2: the uniform soup",
                    "tests/plugins/test_merging_agreement.py::test_averages_and_sums_as_published",
                    "1e-6 relative: sums in fp32",
                ),
                Check(
                    "weights by domain and in order, in float64",
                    "tests/plugins/test_merging_field.py::test_weight_averaging_by_domain",
                    "1e-6 relative: sums in fp32",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Wortsman et al., Model soups, ICML 2022",
        )
    ]
