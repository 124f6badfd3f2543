"""OPCM: experts merged one after the other, each outside what was merged (Tang et al., 2025).

Idea: Experts come one after the other, and older ones are no longer at hand. Each new task vector
is projected off the directions that the merge so far uses. A factor over time keeps the merge as
long as one expert's task vector.
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
    """Options of OPCM.

    Attributes:
        alpha: share of the sum of the merged matrix's singular values whose directions a new
            expert may not touch.
        scale: weight of the merged task vector; ``norm`` as published: the merged task vector is
            as long as the experts' are on average (see `norm_scale`).
    """

    alpha: float = 0.5
    scale: Scale = "norm"

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise HandledError(f"opcm: alpha={self.alpha} is not in [0, 1]")


class Opcm(TaskVectorStrategy):
    """``M_t = M_(t-1) + P(tau_t)``, P onto what M_(t-1)'s leading directions do not span.

    As published, M_t is divided by ``lambda_t``, which gives it the mean length of the t experts,
    and multiplied by it again before the next expert; projections do not depend on length, so that
    one division at the end is the same. The experts' order is the order in which they come: the
    merge of the first t of them is what the method has after t steps. Every matrix counts as a
    linear layer; other tensors are added up.
    """

    Options = Options
    scope = "tensor"
    order_matters = True

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """One row: the sum of the first task vector and of the others' projections."""
        from recmerge_bench.toolkit.merging.task_vectors import is_matrix

        merged = vectors.rows.sum(0)
        for _, part, shape in vectors.parameters():
            if not is_matrix(shape):
                continue
            first, *others = vectors.rows[:, part].view(-1, *shape).double()
            for matrix in others:
                first = first + self.outside(matrix, first)
            merged[part] = first.to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])

    def outside(self, matrix: Tensor, merged: Tensor) -> Tensor:
        """A matrix [a, b] without its part in the merged one's leading directions.

        In the bases of the merged matrix's singular vectors the leading square and the diagonal
        become zero. A merged matrix that is nothing yet has no directions.
        """
        import torch

        if not bool(merged.any()):
            return matrix
        left, values, right = torch.linalg.svd(merged, full_matrices=False)
        beyond = (values.cumsum(0) / values.sum() > self.options.alpha).nonzero()
        # As released: where no share exceeds alpha (1, or rounding) nothing but the diagonal goes.
        rank = int(beyond[0]) if len(beyond) else 0
        inside = left.T @ matrix @ right.T
        kept = torch.eye(len(values), dtype=inside.dtype, device=inside.device)
        kept[:rank, :rank] = 1.0
        # What lies outside the thin bases is not touched, so that they need not be completed.
        outside: Tensor = matrix - left @ (inside * kept) @ right
        return outside


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``opcm``."""
    return [
        StrategySpec(
            "opcm", f"{__name__}:Opcm",
            "Experts merged one by one, each projected away from what was merged before",
            checks=(
                Check(
                    "tanganke/fusion_bench (the authors'), method/opcm/opcm.py, step by step with "
                    "its lambda_t",
                    "tests/plugins/test_merging_field.py::test_opcm_as_released",
                    "1e-6 relative: lengths in fp32",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified",
            citation="Tang et al., Merging models on the fly without retraining (OPCM), "
            "NeurIPS 2025",
        )
    ]  # fmt: skip
