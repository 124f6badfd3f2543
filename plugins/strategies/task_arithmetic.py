"""Task Arithmetic: the base plus a scaled sum of task vectors (Ilharco et al., ICLR 2023).

Idea: What training changed in an expert is a vector: its weights minus the base's. Vectors of
several experts can be added like directions. One scale says how much of the sum is added to the
base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, MergeInput, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, ScaledStrategy, norm_scale

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Options:
    """Options of Task Arithmetic.

    Attributes:
        scale: weight of every task vector, or ``norm``: the merged task vector is as long as the
            experts' are on average; MergeRec uses 0.4 for each of eight domains.
    """

    scale: Scale = 0.4


class TaskArithmetic(ScaledStrategy):
    """theta = theta_0 + scale * sum_k (theta_k - theta_0)."""

    Options = Options
    scope = "entry"

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """Base plus scaled task vectors, without materialising the vectors."""
        from recmerge_bench.toolkit.merging.vectors import add_task_vectors, task_vector_lengths

        scale, experts = self.options.scale, [e.weights for e in given.experts]
        if self.by_rule():
            scale = norm_scale(*task_vector_lengths(given.base, experts))
            given.note("scale", scale)
        return add_task_vectors(given.base, experts, [scale] * len(experts))


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``task-arithmetic``."""
    return [
        StrategySpec(
            name="task-arithmetic",
            target=f"{__name__}:TaskArithmetic",
            summary="Base plus the scaled sum of task vectors",
            checks=(
                Check(
                    "Ilharco et al., section 3",
                    "tests/plugins/test_merging_agreement.py::test_averages_and_sums_as_published",
                    "1e-6 relative: sums in fp32",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Ilharco et al., Editing models with task arithmetic, ICLR 2023",
        )
    ]
