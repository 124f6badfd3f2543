"""Model Breadcrumbs: drop the largest and the smallest entries (Davari & Belilovsky, ECCV 2024).

Idea: The smallest changes of a fine-tuned model are noise, and its few largest ones are outliers
that hurt other domains. Both ends of each task vector are set to zero, tensor by tensor. What is
left is scaled and added to the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of Model Breadcrumbs.

    Attributes:
        bottom: share of each tensor that is dropped for being small.
        top: share that is dropped for being large.
        scale: weight of every task vector, or ``norm``: the merged task vector is as long as the
            experts' are on average.
    """

    bottom: float = 0.85
    top: float = 0.007
    scale: Scale = 0.4

    def __post_init__(self) -> None:
        if not (self.bottom >= 0 and self.top >= 0 and self.bottom + self.top < 1):
            raise HandledError("breadcrumbs: bottom and top are shares that leave something")


class Breadcrumbs(TaskVectorStrategy):
    """Each tensor's outliers and small entries of every task vector are zeroed."""

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Masks by rank of magnitude within each tensor."""
        for row in vectors.rows:
            for _, part, shape in vectors.parameters():
                size = shape.numel()
                low, high = int(self.options.bottom * size), size - int(self.options.top * size)
                order = row[part].abs().argsort(stable=True)
                row[part][order[:low]] = 0.0
                row[part][order[high:]] = 0.0
        return vectors


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``breadcrumbs``."""
    return [
        StrategySpec(
            name="breadcrumbs",
            target=f"{__name__}:Breadcrumbs",
            summary="Task vectors without their largest and smallest entries, added up",
            checks=(
                Check(
                    "Davari & Belilovsky, eqs. 2 to 4: both tails of each tensor (the released "
                    "code masks row by row)",
                    "tests/plugins/test_merging_agreement.py::test_breadcrumbs_as_published",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Davari & Belilovsky, Model Breadcrumbs, ECCV 2024",
        )
    ]
