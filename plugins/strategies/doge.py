"""DOGE: a change that all task vectors share, found by projected gradients (Wei et al., 2025).

Idea: Task vectors conflict, and one common change of all of them can lower what the merge costs
each. That change is found by gradient steps on the weights alone, outside the directions that the
experts share. The changed task vectors are brought to one length, trimmed and added up.
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
    """Options of DOGE TA; all as released.

    Attributes:
        weight: length that every expert's matrix of task vectors is given (lambda there).
        density: share of each task vector, over all matrices, that is kept.
        subspace: one over the share of directions that count as shared, and do not change.
        steps: number of steps of Adam.
        lr: learning rate of Adam.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    weight: float = 0.07
    density: float = 0.3
    subspace: int = 6
    steps: int = 400
    lr: float = 1e-4
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.density <= 1 or self.weight <= 0:
            raise HandledError("doge: density lies in (0, 1], weight is positive")
        if self.subspace < 1 or self.steps < 0 or self.lr <= 0:
            raise HandledError("doge: subspace is at least 1, steps not negative, lr positive")


class Doge(TaskVectorStrategy):
    """``sum_k l_k (tau_k + Delta) m_k``, Delta by Adam on what the merge costs each expert.

    Matrix by matrix, with ``l_k = weight / |tau_k|``: what the merge changes of expert j in its
    own direction is, row by row, ``<tau_j, tau_j - sum_k l_k (tau_k + Delta)>``; the sum of the
    squares is lowered along directions outside the shared subspace, the leading directions of the
    experts' own leading ones. The masks m_k keep each task vector's largest entries, of all
    matrices together. Every matrix counts as a linear layer; other tensors stay the base's, and
    so does a matrix that no expert changed.
    """

    Options = Options

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """One row."""
        import torch

        from recmerge_bench.toolkit.merging.task_vectors import is_matrix

        parts = [(part, shape) for _, part, shape in vectors.parameters() if is_matrix(shape)]
        merged = torch.zeros_like(vectors.base)
        if not parts:
            return vectors.with_rows(merged[None])
        own_columns = [torch.arange(part.start, part.stop) for part, _ in parts]
        columns = torch.cat(own_columns).to(merged.device)
        masks = torch.zeros_like(vectors.rows)
        for row, mask in zip(vectors.rows, masks, strict=True):
            own = row[columns].abs()
            # As released: the value at the threshold is kept beside the share that is asked for.
            place = max(1, len(own) - int(self.options.density * len(own)))
            mask[columns] = (own >= own.kthvalue(place).values).to(mask.dtype)
        for part, shape in parts:
            rows = vectors.rows[:, part].view(-1, *shape).double()
            if bool(rows.any()):
                adjusted = (rows + self.change(rows)) * masks[:, part].view(-1, *shape)
                total = (self.weights(rows) * adjusted).sum(0)
                merged[part] = total.to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])

    def weights(self, rows: Tensor) -> Tensor:
        """``l_k`` of matrices [K, a, b]: [K, 1, 1]; zero of an expert that left the matrix."""
        lengths = rows.flatten(1).norm(dim=1)[:, None, None]
        known = (lengths > 0).to(rows.dtype)
        return self.options.weight * known / lengths.clamp(min=1e-300)

    def change(self, rows: Tensor) -> Tensor:
        """Delta [a, b] of task vectors [K, a, b], in double precision.

        The loss is quadratic: its gradient is ``-2 L sum_j e_j tau_j``, e_j the cost of expert j
        row by row and L the sum of the weights.
        """
        import torch

        weights, shared = self.weights(rows), self.shared(rows)
        total, mass = (weights * rows).sum(0), float(weights.sum())
        change = torch.zeros_like(rows[0])
        optimizer = torch.optim.Adam([change], lr=self.options.lr)
        for _ in range(self.options.steps):
            cost = (rows * (rows - total - mass * change)).sum(2, keepdim=True)
            gradient = -2 * mass * (cost * rows).sum(0)
            change.grad = gradient - shared @ (shared.T @ gradient)
            optimizer.step()
        return change

    def shared(self, rows: Tensor) -> Tensor:
        """An orthonormal basis [a, r / subspace] of the directions that do not change."""
        import torch

        from recmerge_bench.toolkit.merging.spectral import svd

        rank = min(rows.shape[1:])
        keep, count = rank // len(rows), rank // self.options.subspace
        if not keep or not count:
            return rows.new_zeros((rows.shape[1], 0))
        leading = torch.cat([svd(matrix, keep)[0] for matrix in rows], 1)
        return svd(leading, count)[0]


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``doge``."""
    return [
        StrategySpec(
            "doge", f"{__name__}:Doge",
            "Task vectors at one length with a common change by projected gradients, trimmed",
            checks=(
                Check(
                    "tanganke/fusion_bench, method/doge_ta/doge_ta.py (the authors' DOGE TA), "
                    "gradients by autograd",
                    "tests/plugins/test_merging_field.py::test_doge_as_released",
                    "1e-8 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified",
            citation="Wei et al., Modeling multi-task model merging as adaptive projective "
            "gradient descent, ICML 2025",
        )
    ]  # fmt: skip
