"""Strategies that change task vectors and add them up. No torch import here: plugins inherit it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.tiers import MergeInput

if TYPE_CHECKING:
    import torch

    from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

#: Weight of the merged task vector, or the rule that chooses it: ``norm``, see `norm_scale`.
Scale = float | Literal["norm"]


def norm_scale(lengths: list[float], merged: float) -> float:
    """The scale that gives the merged task vector the experts' mean length: T0, no labels.

    With ``t`` the method's task vector at scale 1, over all parameters that merge at once,
    ``scale = (mean_k |tau_k|) / |t|``, Euclidean norms in double precision: the merged model lies
    as far from the base as an expert does on average. Each expert was trained to that distance;
    nothing says that a merged model is good farther out or nearer. mergekit's multi-SLERP and
    Karcher means fix the length so, tensor by tensor. LiNeS (Wang et al., ICLR 2025) starts from
    ``|sum_k tau_k| / (K |t|)`` instead, which for Task Arithmetic is weight averaging whatever the
    experts are; of K orthogonal ones that is 1/K, this 1/sqrt(K).

    Args:
        lengths: of the experts' task vectors.
        merged: length of the method's task vector at scale 1.

    Returns:
        the scale; 0 where the method adds nothing at any scale.
    """
    return sum(lengths) / len(lengths) / merged if merged > 0 else 0.0


@dataclass(frozen=True)
class Scaled:
    """Options of a method that has no others.

    Attributes:
        scale: weight of the merged task vector, or ``norm``: the experts' mean length.
    """

    scale: Scale = 1.0


class ScaledStrategy(StrategyDefinition):
    """``theta = theta_0 + scale * t``: the options have a ``scale`` that changes nothing else."""

    Options: ClassVar[type] = Scaled
    scaled = True

    def by_rule(self) -> bool:
        """Whether the scale is chosen by a rule.

        Raises:
            HandledError: the scale is neither a number nor the name of a rule.
        """
        scale = self.options.scale
        if isinstance(scale, str) and scale != "norm":
            raise HandledError(f"scale is a number or 'norm', not {scale!r}")
        return isinstance(scale, str)

    def at(self, scale: float) -> Any:
        """The same method at another scale."""
        return type(self)(replace(self.options, scale=scale))


class TaskVectorStrategy(ScaledStrategy):
    """``theta = theta_0 + scale * sum of rows``."""

    def merge(self, given: MergeInput) -> dict[str, torch.Tensor]:
        """Base plus what `transform` makes of the task vectors."""
        from recmerge_bench.toolkit.merging.task_vectors import TaskVectors

        vectors = TaskVectors.of(given)
        if not self.by_rule():
            return self.transform(vectors, given.seed).merged(self.options.scale)
        lengths = vectors.lengths()
        changed = self.transform(vectors, given.seed)
        scale = norm_scale(lengths, changed.length_of_sum())
        given.note("scale", scale)
        return changed.merged(scale)

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Task vectors as the method has them; may work in place, on any number of rows.

        Args:
            vectors: of all experts.
            seed: for methods that draw.
        """
        raise NotImplementedError
