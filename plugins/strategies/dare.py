"""DARE: drop entries of task vectors at random and rescale the rest (Yu et al., ICML 2024).

Idea: Most entries of a task vector can be dropped without loss if the rest is scaled up. Entries
are zeroed at random with a fixed chance and the others divided by the share that is kept, so that
the expectation stays. Sparse task vectors then collide less when they are added up.
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
    """Options of DARE.

    Attributes:
        drop: probability that an entry is dropped.
        scale: weight of every task vector, or ``norm``: the merged task vector is as long as the
            experts' are on average.
    """

    drop: float = 0.5
    scale: Scale = 0.4

    def __post_init__(self) -> None:
        if not (0 <= self.drop < 1):
            raise HandledError("dare: drop lies in [0, 1)")


class Dare(TaskVectorStrategy):
    """``tau`` with a random share of its entries zeroed and the others divided by what is kept."""

    Options = Options
    order_matters = True

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Bernoulli masks drawn from the seed, one expert after the other."""
        import torch

        generator = torch.Generator().manual_seed(seed)
        for row in vectors.rows:
            kept = torch.rand(len(row), generator=generator) >= self.options.drop
            row.mul_(kept).div_(1 - self.options.drop)
        return vectors


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``dare``."""
    return [
        StrategySpec(
            name="dare",
            target=f"{__name__}:Dare",
            summary="Randomly dropped and rescaled task vectors, added up",
            checks=(
                Check(
                    "Yu et al., eqs. 2 to 4, with the same draws",
                    "tests/plugins/test_merging_agreement.py::test_dare_as_published",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Yu et al., Language models are super Mario, ICML 2024",
        )
    ]
