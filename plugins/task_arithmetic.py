"""Task Arithmetic: the base plus a scaled sum of task vectors (Ilharco et al., ICLR 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Spec, StrategyDefinition, StrategySpec, WeightsOnly, hookimpl

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Options:
    """Options of Task Arithmetic.

    Attributes:
        scale: weight of every task vector; MergeRec uses 0.4 for each of eight domains.
    """

    scale: float = 0.4


class TaskArithmetic(StrategyDefinition):
    """theta = theta_0 + scale * sum_k (theta_k - theta_0)."""

    Options = Options
    reach = "entry"
    scaled = True

    def merge(self, given: WeightsOnly) -> dict[str, torch.Tensor]:
        """Base plus scaled task vectors, without materialising the vectors."""
        from recmerge_bench.merging.vectors import add_task_vectors

        scales = [self.options.scale] * len(given.experts)
        return add_task_vectors(given.base, [e.weights for e in given.experts], scales)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``task-arithmetic``."""
    return [
        StrategySpec(
            name="task-arithmetic",
            target=f"{__name__}:TaskArithmetic",
            summary="Base plus the scaled sum of task vectors",
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Ilharco et al., Editing models with task arithmetic, ICLR 2023",
        )
    ]
