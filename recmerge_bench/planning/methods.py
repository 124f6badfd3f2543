"""What a row is of, with all its options: made once for all the cells of the row."""

from __future__ import annotations

from dataclasses import dataclass

from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.spaces import Chosen
from recmerge_bench.planning.suite import Row
from recmerge_bench.planning.trainings import Model, Trainings
from recmerge_bench.specs import ModelSpec, Spec, StrategySpec


@dataclass(frozen=True)
class StrategyUse:
    """A strategy on one backbone.

    Attributes:
        spec: of the strategy.
        options: of the strategy.
        model: the backbone whose trained models it takes.
    """

    spec: StrategySpec
    options: CompleteOptions
    model: Model

    @property
    def backbone(self) -> str:
        """By name."""
        return self.model.name


@dataclass(frozen=True)
class ModelUse:
    """A CDSR model, backbone or counting recommender that is a row by itself."""

    spec: ModelSpec
    options: CompleteOptions
    model: Model

    @property
    def backbone(self) -> str:
        """None: it stands by itself."""
        return ""


MethodUse = StrategyUse | ModelUse


def method_of(
    spec: Spec, row: Row, backbone: str, trainings: Trainings, chosen: Chosen | None = None
) -> MethodUse | None:
    """The method of a row on a backbone of its track; None for what is no method.

    `chosen` is what a search chose for the backbone.

    Raises:
        HandledError: an unknown option or a value of a wrong type.
    """
    if isinstance(spec, StrategySpec):
        options = complete(spec, row.options, trainings.where)
        return StrategyUse(spec, options, trainings.backbone(backbone, chosen))
    if isinstance(spec, ModelSpec):
        model = trainings.of_row(spec, row)
        return None if model.options is None else ModelUse(spec, model.options, model)
    return None
