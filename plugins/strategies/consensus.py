"""Consensus Task Arithmetic: keep what at least two experts need (Wang et al., ICML 2024).

Idea: An entry of the summed task vector that matters to one expert alone disturbs the others. A
mask for each expert says which entries matter to it. Only entries that at least two experts'
masks select are kept and added to the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of Consensus Task Arithmetic.

    Attributes:
        threshold: a mask selects where |tau_k| exceeds this times |tau_sum - tau_k|.
        agree: masks that must select an entry.
        scale: weight of the masked sum, or ``norm``: the merged task vector is as long as the
            experts' are on average.
    """

    threshold: float = 0.6
    agree: int = 2
    scale: Scale = 0.4


class Consensus(TaskVectorStrategy):
    """Entries of the summed task vector that the TALL masks of several experts select."""

    Options = Options
    scope = "entry"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """One row: the masked sum."""
        import torch

        total = vectors.rows.sum(0)
        votes = torch.zeros_like(total)
        for row in vectors.rows:
            votes += row.abs() > self.options.threshold * (total - row).abs()
        return vectors.with_rows((total * (votes >= self.options.agree))[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``consensus``."""
    return [
        StrategySpec(
            name="consensus",
            target=f"{__name__}:Consensus",
            summary="The summed task vector where several experts' TALL masks agree",
            checks=(
                Check(
                    "Wang et al., eqs. 5 and 6",
                    "tests/plugins/test_merging_agreement.py::test_consensus_and_tall_masks_as_published",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Wang et al., Localizing Task Information, ICML 2024",
        )
    ]
