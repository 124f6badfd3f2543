"""Localize-and-Stitch without data: largest changes, overlaps averaged (He et al., TMLR 2025).

Idea: A small part of an expert's weights holds most of what it learned. The largest changes of
each expert are located, and only they are put onto the base. Where experts' parts overlap, they
are averaged.
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
    """Options of Localize-and-Stitch.

    Attributes:
        density: share of each task vector that is kept, over all float parameters.
        scale: weight of the stitched task vector, or ``norm``: the merged task vector is as long
            as the experts' are on average.
    """

    density: float = 0.05
    scale: Scale = 1.0


class LocalizeAndStitch(TaskVectorStrategy):
    """The top entries of every task vector by magnitude, divided by how many experts keep them."""

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Trimmed rows divided by the number of experts that keep the entry."""
        from recmerge_bench.toolkit.merging.trim import keep_largest

        for row in vectors.rows:
            keep_largest(row, int(self.options.density * len(row)))
        counts = (vectors.rows != 0).sum(0).clamp_(min=1)
        return vectors.with_rows(vectors.rows.div_(counts))


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``localize-and-stitch``."""
    return [
        StrategySpec(
            name="localize-and-stitch",
            target=f"{__name__}:LocalizeAndStitch",
            summary="Each expert's largest changes, overlaps averaged",
            checks=(
                Check(
                    "He et al., the dataless form",
                    "tests/plugins/test_merging_agreement.py::test_localize_and_stitch_and_norm_balanced",
                    "1e-9 relative, float64",
                ),
                Check(
                    "vectors computed by MergeRec's released code",
                    "tests/plugins/test_merging.py::test_vectors_of_the_released_code",
                    "1e-5 relative: fp32",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="He et al., Localize-and-Stitch, TMLR 2025 (arXiv 2408.13656)",
        )
    ]
