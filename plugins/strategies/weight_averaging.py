"""Weight averaging: the uniform mean of the experts (model soups, Wortsman et al., ICML 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Check, MergeInput, Spec, StrategyDefinition, StrategySpec, hookimpl

if TYPE_CHECKING:
    import torch


class WeightAveraging(StrategyDefinition):
    """theta = (1/K) sum theta_k."""

    scope = "entry"

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """Mean of the experts, tensor by tensor, accumulated in place."""
        from recmerge_bench.toolkit.merging.vectors import weighted_sum

        weights = [1.0 / len(given.experts)] * len(given.experts)
        return weighted_sum([e.weights for e in given.experts], weights)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``weight-averaging``."""
    return [
        StrategySpec(
            name="weight-averaging",
            target=f"{__name__}:WeightAveraging",
            summary="Uniform mean of the experts' weights",
            checks=(
                Check(
                    "Wortsman et al., section 2: the uniform soup",
                    "tests/plugins/test_merging_agreement.py::test_averages_and_sums_as_published",
                    "1e-6 relative: sums in fp32",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Wortsman et al., Model soups, ICML 2022",
        )
    ]
