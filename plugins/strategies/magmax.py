"""MagMax: of each parameter the change largest in magnitude (Marczak et al., ECCV 2024).

Idea: The weight that moved furthest from the base says most. For each parameter the largest
change among the experts is taken whole. Nothing is averaged, so that no change is watered down.
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
    """Options of MagMax.

    Attributes:
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    scale: Scale = 0.5


class MagMax(TaskVectorStrategy):
    """One row: the entry of the task vector that moved most; of equal ones the later expert's."""

    Options = Options
    scope = "entry"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """The largest change of each parameter."""
        best = vectors.rows[0].clone()
        for row in vectors.rows[1:]:
            best = row.where(row.abs() >= best.abs(), best)
        return vectors.with_rows(best[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``magmax``."""
    return [
        StrategySpec(
            name="magmax",
            target=f"{__name__}:MagMax",
            summary="Of each parameter the change largest in magnitude",
            checks=(
                Check(
                    "Marczak et al., eq. 3",
                    "tests/plugins/test_merging_agreement.py::test_magmax_as_released",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Marczak et al., MagMax, ECCV 2024",
        )
    ]
