"""Multi-SLERP on task vectors: a mean of directions on the sphere, times the mean length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recmerge_bench.api import Spec, StrategySpec, hookimpl
from recmerge_bench.merging.strategy import TaskVectorStrategy

if TYPE_CHECKING:
    from recmerge_bench.merging.task_vectors import TaskVectors


class MultiSlerp(TaskVectorStrategy):
    """Directions are averaged in the tangent space at their normalised mean, tensor by tensor."""

    reach = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensors whose directions cancel stay as the base has them."""
        import torch

        merged = torch.zeros_like(vectors.base)
        for _, part, _ in vectors.pieces():
            rows = vectors.rows[:, part]
            lengths = rows.norm(dim=1, keepdim=True)
            points = rows / lengths.clamp(min=1e-8)
            centre = points.mean(0)
            if float(centre.norm()) < 1e-8:
                continue
            centre = centre / centre.norm()
            cosine = (points @ centre).clamp(-1, 1)[:, None]
            tangents = points - cosine * centre
            spread = tangents.norm(dim=1, keepdim=True).clamp(min=1e-8)
            step = (tangents / spread * cosine.acos()).mean(0)
            angle = step.norm()
            direction = centre * angle.cos() + step / angle.clamp(min=1e-8) * angle.sin()
            merged[part] = direction * lengths.mean()
        return vectors.with_rows(merged[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``multi-slerp``."""
    return [
        StrategySpec(
            name="multi-slerp",
            target=f"{__name__}:MultiSlerp",
            summary="Spherical mean of the task vectors' directions, tensor by tensor",
            inputs=("base", "experts"),
            fidelity="reconstructed",
            citation="Goddard et al., MergeKit, EMNLP 2024 (multi-SLERP)",
        )
    ]
