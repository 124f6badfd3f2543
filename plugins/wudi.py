"""WUDI: the merged task vector of least interference (Cheng et al., ICML 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of WUDI.

    Attributes:
        solver: ``closed-form``, or ``adam`` from the sum as the authors do.
        ridge: of the closed form, relative to the mean eigenvalue.
        steps: of adam.
        lr: of adam.
        scale: weight of the merged task vector.
    """

    solver: Literal["closed-form", "adam"] = "closed-form"
    ridge: float = 0.001
    steps: int = 300
    lr: float = 1e-5
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not (self.solver in ("closed-form", "adam") and self.ridge >= 0):
            raise HandledError("wudi: solver is closed-form or adam, ridge not negative")


class Wudi(TaskVectorStrategy):
    """Each matrix minimises ``sum_i |(tau - tau_i) tau_i^T|^2 / |tau_i|^2``."""

    Options = Options
    reach = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Matrices by least interference; all else is the mean of the task vectors."""
        from recmerge_bench.merging.task_vectors import is_matrix

        merged = vectors.rows.mean(0)
        solve = self.closed if self.options.solver == "closed-form" else self.adam
        for _, part, shape in vectors.pieces():
            rows = vectors.rows[:, part].view(-1, *shape) if is_matrix(shape) else None
            if rows is not None and bool(rows.any()):
                merged[part] = solve(rows).to(merged.dtype).flatten()
        return vectors.with_rows(merged[None])

    def closed(self, rows: Tensor) -> Tensor:
        """The minimiser [a, b] for the matrices [K, a, b], by one linear solve.

        With G_i = tau_i^T tau_i / |tau_i|^2 it is (sum tau_i G_i) (sum G_i + ridge)^-1.
        """
        import torch

        rows = rows.double()
        rows = rows[rows.flatten(1).any(1)]
        weights = rows / rows.flatten(1).norm(dim=1)[:, None, None]
        grams = weights.mT @ weights
        total = grams.sum(0)
        total.diagonal().add_(self.options.ridge * total.diagonal().mean())
        return torch.linalg.solve(total, (rows @ grams).sum(0), left=False)

    def adam(self, rows: Tensor) -> Tensor:
        """A few steps from the sum of the task vectors: [a, b]."""
        import torch

        rows = rows[rows.flatten(1).any(1)]
        norms = rows.flatten(1).square().sum(1)
        with torch.enable_grad():
            merged = rows.sum(0).requires_grad_()
            optimizer = torch.optim.Adam([merged], lr=self.options.lr)
            for _ in range(self.options.steps):
                optimizer.zero_grad()
                products = (merged - rows) @ rows.mT
                loss = (products.square().sum((1, 2)) / norms).sum()
                loss.backward()
                optimizer.step()
        return merged.detach()


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``wudi``."""
    return [
        StrategySpec(
            name="wudi",
            target=f"{__name__}:Wudi",
            summary="Task vector of least interference, matrix by matrix",
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Cheng et al., Whoever Started the Interference Should End It, ICML 2025",
        )
    ]
