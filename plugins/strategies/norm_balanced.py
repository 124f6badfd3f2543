"""Task Arithmetic on task vectors of equal length: no expert outweighs the others by its size.

Idea: Experts trained for longer, or on more data, move further from the base, and then outweigh
the others in a sum. All task vectors are brought to their mean length. Then they are scaled and
added up as in Task Arithmetic.

Experts trained for longer, or on more data, move further from the base; their vectors then
dominate the sum, and TIES' trimming with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of norm-balanced Task Arithmetic.

    Attributes:
        scale: weight of every task vector, or ``norm``: the merged task vector is as long as the
            experts' are on average.
        by: whether lengths are made equal over the ``model`` or within each ``tensor``.
    """

    scale: Scale = 0.4
    by: Literal["model", "tensor"] = "model"

    def __post_init__(self) -> None:
        if self.by not in ("model", "tensor"):
            raise HandledError(f"norm-balanced: by is model or tensor, not {self.by!r}")


class NormBalanced(TaskVectorStrategy):
    """``tau_k * mean_j |tau_j| / |tau_k|``; a task vector of length zero stays zero."""

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """See `TaskVectorStrategy.transform`."""
        parts = [slice(None)]
        if self.options.by == "tensor":
            parts = [columns for _, columns, _ in vectors.parameters()]
        for part in parts:
            lengths = vectors.rows[:, part].norm(dim=1)
            vectors.rows[:, part] *= (lengths.mean() / lengths.clamp_min(1e-30))[:, None]
        return vectors


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``norm-balanced``."""
    return [
        StrategySpec(
            "norm-balanced", f"{__name__}:NormBalanced",
            "Base plus the scaled sum of task vectors brought to equal length",
            checks=(
                Check(
                    "own definition",
                    "tests/plugins/test_merging_agreement.py::test_localize_and_stitch_and_norm_balanced",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="own",
            citation="after Ilharco et al., Editing models with task arithmetic, ICLR 2023",
        )
    ]  # fmt: skip
