"""Strategies that change task vectors and add them up. No torch import here: plugins inherit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from recmerge_bench.definitions import StrategyDefinition, WeightsOnly

if TYPE_CHECKING:
    import torch

    from recmerge_bench.merging.task_vectors import TaskVectors


@dataclass(frozen=True)
class Scaled:
    """Options of a method that has no others.

    Attributes:
        scale: weight of the merged task vector.
    """

    scale: float = 1.0


class TaskVectorStrategy(StrategyDefinition):
    """``theta = theta_0 + scale * sum of rows``; the options have a ``scale``."""

    Options: ClassVar[type] = Scaled
    scaled = True

    def merge(self, given: WeightsOnly) -> dict[str, torch.Tensor]:
        """Base plus what `transform` makes of the task vectors."""
        from recmerge_bench.merging.task_vectors import TaskVectors

        return self.transform(TaskVectors.of(given), given.seed).merged(self.options.scale)

    def transform(self, vectors: TaskVectors, seed: int) -> TaskVectors:
        """Task vectors as the method has them; may work in place, on any number of rows.

        Args:
            vectors: of all experts.
            seed: for methods that draw.
        """
        raise NotImplementedError
