"""DELLA: drop entries with chances by magnitude, then elect signs (Deep et al., 2024).

Idea: Large entries of a task vector deserve to survive more often than small ones. Each entry is
dropped with a chance that falls with its rank by magnitude, and survivors are rescaled. Experts
then vote on signs, and the agreeing entries are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of DELLA.

    Attributes:
        density: mean probability that an entry is kept.
        spread: how much lower that probability is for the smallest entries, and how much higher
            for the largest.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    density: float = 0.5
    spread: float = 0.15
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if not (self.density > self.spread and self.density + self.spread <= 1):
            raise HandledError(
                "della: density minus spread is above 0, density plus spread at most 1"
            )


class Della(TaskVectorStrategy):
    """Entries survive with a chance that rises with rank; survivors are rescaled."""

    Options = Options
    order_matters = True

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Rows of matrices are thinned by themselves, other tensors as one row."""
        import torch

        from recmerge_bench.toolkit.merging.trim import disjoint_means

        generator = torch.Generator().manual_seed(seed)
        for row in vectors.rows:
            for _, part, shape in vectors.parameters():
                lines = row[part].view(shape if len(shape) > 1 else (1, -1)).flatten(1)
                lines.copy_(self.thin(lines, generator))
        return vectors.with_rows(disjoint_means(vectors.rows))

    def thin(self, lines: Tensor, generator: Generator) -> Tensor:
        """Drop entries of each row [R, C] and divide the survivors by their chances."""
        import torch

        low, high = (self.options.density + d * self.options.spread for d in (-1, 1))
        order = lines.abs().argsort(dim=1, stable=True)
        place = order.argsort(dim=1, stable=True)
        chance = low + (high - low) * place.to(lines.dtype) / max(lines.shape[1] - 1, 1)
        kept = torch.rand(lines.shape, generator=generator) < chance
        return lines * kept / chance


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``della``."""
    return [
        StrategySpec(
            name="della",
            target=f"{__name__}:Della",
            summary="Task vectors thinned by magnitude, elected signs, mean of the agreeing",
            checks=(
                Check(
                    "Deep et al., MAGPRUNE with survivors divided by their chances, elected and "
                    "averaged; chances by rank as in arcee-ai/mergekit",
                    "tests/plugins/test_merging_agreement.py::test_della_as_published",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Deep et al., DELLA-Merging, 2024 (arXiv 2406.11617)",
        )
    ]
