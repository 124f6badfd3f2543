"""Model Stock: how far towards the average, by the experts' angle (Jang et al., ECCV 2024).

Idea: The closer the experts point the same way, the nearer their average lies to the best model.
The angle between their task vectors says how far to go from the base towards the average. Each
tensor has its own ratio, and no data are read.
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
    """Options of Model Stock.

    Attributes:
        clamp: an angle beyond 90 degrees counts as 90, so that such tensors stay the base's. The
            authors and mergekit go past the base then, away from the average.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    clamp: bool = False
    scale: Scale = 1.0


class ModelStock(TaskVectorStrategy):
    """``t * mean(tau)``, t = K cos / (1 + (K - 1) cos), the mean pairwise cosine of each tensor."""

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensor by tensor. A single expert is kept whole.

        Where the directions cancel altogether t has no limit: that tensor stays the base's.
        """
        import torch

        count = len(vectors.rows)
        if count < 2:
            return vectors
        merged = vectors.rows.mean(0)
        for _, part, _ in vectors.parameters():
            rows = torch.nn.functional.normalize(vectors.rows[:, part], dim=1)
            # The sum of all K^2 cosines is |sum of the directions|^2; K of them are an expert's
            # own, and of a tensor that it left as it was that one is zero.
            own = float(rows.square().sum())
            cosine = (float(rows.sum(0).square().sum()) - own) / (count * (count - 1))
            cosine = min(max(cosine, 0.0 if self.options.clamp else -1.0), 1.0)
            rest = 1 + (count - 1) * cosine
            merged[part] *= count * cosine / rest if rest > 1e-6 else 0.0
        return vectors.with_rows(merged[None])


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``model-stock``."""
    return [
        StrategySpec(
            name="model-stock",
            target=f"{__name__}:ModelStock",
            summary="Towards the average as far as the experts' angle says",
            checks=(
                Check(
                    "arcee-ai/mergekit, mergekit/merge_methods/model_stock.py, negative cosines "
                    "included",
                    "tests/plugins/test_merging_agreement.py::test_model_stock_as_mergekit_has_it",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="code-verified",
            citation="Jang et al., Model Stock, ECCV 2024",
        )
    ]
