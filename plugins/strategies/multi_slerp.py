"""Multi-SLERP on task vectors: a mean of directions on the sphere, times the mean length.

Idea: Averaging task vectors shortens them, the more the less they agree. Their directions are
averaged on the sphere instead, tensor by tensor. The mean direction gets the mean of their
lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of multi-SLERP.

    Attributes:
        tangent: how directions come to the tangent space at their normalised mean: by
            ``projection``, as mergekit has it (the projections of equally weighted ones cancel,
            so that the mean direction itself is taken), or by the sphere's ``log`` map.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    tangent: Literal["projection", "log"] = "projection"
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if self.tangent not in ("projection", "log"):
            raise HandledError(f"multi-slerp: tangent is projection or log, not {self.tangent!r}")


class MultiSlerp(TaskVectorStrategy):
    """Directions are averaged in the tangent space at their normalised mean, tensor by tensor."""

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """One row. Two directions that cancel are averaged as they are, as in mergekit.

        More that cancel leave the tensor as the base has it; mergekit refuses them.
        """
        import torch

        merged = torch.zeros_like(vectors.base)
        for _, part, _ in vectors.parameters():
            rows = vectors.rows[:, part]
            lengths = rows.norm(dim=1, keepdim=True)
            points = rows / (lengths + 1e-8)
            centre = points.mean(0)
            if float(centre.norm()) < 1e-8:
                if len(rows) == 2:
                    merged[part] = rows.mean(0)
                continue
            merged[part] = self.direction(points, centre / centre.norm()) * lengths.mean()
        return vectors.with_rows(merged[None])

    def direction(self, points: Tensor, centre: Tensor) -> Tensor:
        """The mean on the sphere [n] of unit vectors [K, n], seen from their centre [n]."""
        cosine = (points @ centre).clamp(-1, 1)[:, None]
        tangents = points - cosine * centre
        if self.options.tangent == "log":
            tangents *= cosine.acos() / tangents.norm(dim=1, keepdim=True).clamp(min=1e-8)
        step = tangents.mean(0)
        angle = step.norm() + 1e-8
        return centre * angle.cos() + step / angle * angle.sin()


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``multi-slerp``."""
    return [
        StrategySpec(
            name="multi-slerp",
            target=f"{__name__}:MultiSlerp",
            summary="Spherical mean of the task vectors' directions, tensor by tensor",
            checks=(
                Check(
                    "arcee-ai/mergekit, mergekit/merge_methods/multislerp.py, equal weights",
                    "tests/plugins/test_merging_agreement.py::test_multi_slerp_as_mergekit_has_it",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"),
            fidelity="code-verified",
            citation="Goddard et al., MergeKit, EMNLP 2024 (multi-SLERP)",
        )
    ]
