"""Model Stock: how far towards the average, by the experts' angle (Jang et al., ECCV 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Spec, StrategySpec, hookimpl
from recmerge_bench.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.merging.task_vectors import TaskVectors


class ModelStock(TaskVectorStrategy):
    """``t * mean(tau)``, t = K cos / (1 + (K - 1) cos), the mean pairwise cosine of each tensor."""

    reach = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensor by tensor; an angle beyond 90 degrees counts as 90."""
        import torch

        count = len(vectors.rows)
        if count < 2:
            return vectors
        merged = vectors.rows.mean(0)
        for _, part, _ in vectors.pieces():
            rows = torch.nn.functional.normalize(vectors.rows[:, part], dim=1)
            cosine = (float((rows @ rows.T).sum()) - count) / (count * (count - 1))
            cosine = min(max(cosine, 0.0), 1.0)
            merged[part] *= count * cosine / (1 + (count - 1) * cosine)
        return vectors.with_rows(merged[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``model-stock``."""
    return [
        StrategySpec(
            name="model-stock",
            target=f"{__name__}:ModelStock",
            summary="Towards the average as far as the experts' angle says",
            inputs=("base", "experts"),
            fidelity="paper-equations",
            citation="Jang et al., Model Stock, ECCV 2024",
        )
    ]
