"""Karcher mean: the point of a sphere that is nearest to the experts' directions on it.

Idea: Tensor by tensor, the directions of the experts' task vectors are points on a sphere. The
merge is the point on it with the least sum of squared distances to all of them. Its length is the
mean of theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Check, HandledError, Spec, StrategySpec, hookimpl
from recmerge_bench.toolkit.merging.strategy import Scale, TaskVectorStrategy

if TYPE_CHECKING:
    from torch import Tensor

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Options:
    """Options of the Karcher mean.

    Attributes:
        of: the directions of the task ``vectors``, or of the experts' ``weights`` as mergekit has
            it. Weights of experts that share a base have cosines near one: their mean on the
            sphere is their average.
        iterations: most iterations.
        tolerance: lengths and angles (radians) below it count as none.
        scale: weight of the merged task vector, or ``norm``: the merged task vector is as long as
            the experts' are on average.
    """

    of: Literal["vectors", "weights"] = "vectors"
    iterations: int = 10
    tolerance: float = 1e-5
    scale: Scale = 1.0

    def __post_init__(self) -> None:
        if self.of not in ("vectors", "weights"):
            raise HandledError(f"karcher: of is vectors or weights, not {self.of!r}")
        if self.iterations < 0 or self.tolerance <= 0:
            raise HandledError("karcher: iterations is not negative, tolerance is positive")


class Karcher(TaskVectorStrategy):
    """Tensor by tensor: the Riemannian mean of directions, at the experts' mean length."""

    Options = Options
    scope = "tensor"

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Tensor by tensor; one row."""
        import torch

        merged = torch.zeros_like(vectors.base)
        for _, part, _ in vectors.parameters():
            origin = vectors.base[part].double()
            if self.options.of == "vectors":
                origin = torch.zeros_like(origin)
            points = vectors.rows[:, part].double() + origin
            merged[part] = (self.mean(points) - origin).to(merged.dtype)
        return vectors.with_rows(merged[None])

    def mean(self, rows: Tensor) -> Tensor:
        """The mean [n] of vectors [K, n], float64: of directions on the sphere, and of lengths.

        A vector without length has no direction; it counts in the mean length.
        """
        lengths = rows.norm(dim=1)
        if len(rows) < 2:
            return rows.sum(0)
        known = lengths > self.options.tolerance
        if not bool(known.any()):
            return rows.sum(0) * 0.0
        units = rows[known] / lengths[known, None]
        centre = units.mean(0)
        length = float(centre.norm())
        centre = units[0] if length < self.options.tolerance else centre / length
        for _ in range(self.options.iterations):
            step = self.tangents(units, centre).mean(0)
            angle = float(step.norm())
            if angle < self.options.tolerance:
                break
            centre = math.cos(angle) * centre + math.sin(angle) / angle * step
            centre = centre / centre.norm()
        return centre * lengths.mean()

    def tangents(self, units: Tensor, centre: Tensor) -> Tensor:
        """Logarithms [K, n] on the sphere of unit vectors, seen from a unit vector [n].

        That of the centre, and that of the point opposite, which has no direction, are zero.
        """
        import torch

        cosine = (units @ centre).clamp(-1, 1)[:, None]
        angle = cosine.acos()
        least = self.options.tolerance
        seen = (angle >= least) & (angle <= math.pi - least)
        factor = torch.where(seen, angle / angle.sin().clamp(min=least / 2), 0.0)
        return factor * (units - cosine * centre)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``karcher``."""
    return [
        StrategySpec(
            "karcher", f"{__name__}:Karcher",
            "Riemannian mean of directions on the sphere, tensor by tensor",
            checks=(
                Check(
                    "arcee-ai/mergekit, mergekit/merge_methods/karcher.py, of weights and of task "
                    "vectors",
                    "tests/plugins/test_merging_field.py::test_karcher_as_mergekit_has_it",
                    "1e-9 relative, float64",
                ),
            ),
            inputs=("base", "experts"), fidelity="code-verified",
            citation="Karcher, CPAM 1977; as in mergekit (Goddard et al., EMNLP 2024)",
        )
    ]  # fmt: skip
