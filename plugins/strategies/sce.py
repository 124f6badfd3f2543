"""SCE: select by variance, calculate weights by squares, erase minorities (Wan et al., 2024).

Idea: Experts differ most where they learned something special. Only the entries of highest
variance between experts are kept, each expert is weighted by the squares of its kept entries, and
entries against the majority's sign are erased. What is left is added to the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of SCE.

    Attributes:
        density: share of a tensor's entries, among those in which the experts differ at all, that
            is selected; mergekit's default of 1 selects all.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    density: float = 0.1
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.density <= 1:
            raise HandledError(f"sce: density={self.density} is not in (0, 1]")


class Sce(TaskVectorStrategy):
    """Entries of highest variance, weighted by each expert's squares, minorities erased."""

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensor by tensor; one row."""
        import torch

        merged = torch.zeros_like(vectors.base)
        for _, part, _ in vectors.parameters():
            merged[part] = self.tensor(vectors.rows[:, part])
        return vectors.with_rows(merged[None])

    def tensor(self, rows: Tensor) -> Tensor:
        """One tensor's task vectors [K, n] merged: [n].

        Entries of equal variance at the threshold are all selected, so that the result depends on
        values alone. Weights are divided by the sum of those that agree, entry by entry.
        """
        from recmerge_bench.toolkit.merging.trim import elected_signs, keep_largest

        if self.options.density < 1:
            variance = rows.var(0, unbiased=False)
            count = int(self.options.density * int(variance.count_nonzero()))
            rows = rows * (keep_largest(variance, count) > 0)
        squares = rows.double().square().sum(1)
        if not bool(squares.any()):
            return rows.sum(0)
        weights = (squares / squares.sum()).to(rows.dtype)[:, None]
        agree = (rows * elected_signs(rows) > 0) * weights
        total = agree.sum(0)
        merged: Tensor = (rows * agree).sum(0) / total.masked_fill(total == 0, 1.0)
        return merged


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``sce``."""
    return [
        StrategySpec(
            "sce", f"{__name__}:Sce",
            "Entries of highest variance, experts weighted by their squares, minorities erased",
            checks=(
                Check(
                    "arcee-ai/mergekit, mergekit/merge_methods/sce.py",
                    "tests/plugins/test_merging_field.py::test_sce_as_mergekit_has_it",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified",
            citation="Wan et al., FuseChat, 2024 (arXiv 2408.07990)",
        )
    ]  # fmt: skip
