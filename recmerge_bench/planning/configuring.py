"""The configurations of a track's rows, from what the planner fills in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.planning.configuration import (
    Configuration,
    Method,
    Named,
    OtherBase,
    TrainedWith,
    Tuned,
)
from recmerge_bench.planning.corpus import PlannedSplit
from recmerge_bench.planning.maker import CellMaker
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.trainings import Model, Trainings
from recmerge_bench.planning.tuning import budget
from recmerge_bench.specs import ModelSpec, Spec, StrategySpec


class Configurations:
    """Says what each row of a track is made with.

    Args:
        maker: finds specs.
        trainings: of the track.
        track: whose rows.
    """

    def __init__(self, maker: CellMaker, trainings: Trainings, track: Track) -> None:
        self.maker, self.trainings, self.track = maker, trainings, track

    def of(self, spec: Spec, row: Row, backbone: str, split: PlannedSplit) -> Configuration | None:
        """A row under a protocol; None where its backbone is not there to say its options.

        Raises:
            HandledError: an unknown option or a value of a wrong type.
        """
        strategy = isinstance(spec, StrategySpec)
        if isinstance(spec, StrategySpec):
            model = self.trainings.backbone(backbone)
            if model.spec is None:
                return None
            options = complete(spec, row.options, self.maker.where)
            trained = self._behind(spec, row, model, split)
        elif isinstance(spec, ModelSpec):
            model = self.trainings.of_row(spec, row)
            options = model.options
            own = self.trainings.full(model, model.training, split, self.track.domains)
            trained = TrainedWith(own=own or None)
        else:
            return None
        track = self.track
        return Configuration(
            method=Method(name=row.method, kind=spec.kind, options=options),  # type: ignore[arg-type]
            backbone=Named(name=backbone, options=model.options) if backbone else None,
            encoder=self._named("encoder", model.encoder) if model.encoder else None,
            dataset=self._named("dataset", track.dataset, track.dataset_options),
            domains=list(track.domains),
            experts=list(self.trainings.experts),
            source=list(track.source),
            base=self._other_base(model, split) if strategy else None,
            training=trained,
            protocol=self._named("protocol", split.name),
            profile=track.profile if row.profile is None else row.profile,
            recipe=row.recipe,
            threads=self.maker.suite.threads,
            tuning=self._tuned(row, backbone),
        )

    def _behind(
        self, spec: StrategySpec, row: Row, model: Model, split: PlannedSplit
    ) -> TrainedWith:
        """The trainings whose results a strategy takes."""
        trainings = self.trainings
        base = trainings.base_use(model, split)
        trained_with = TrainedWith()
        if base.training is not None:
            trained_with.base = trainings.full(base.model, base.training, base.split, base.domains)
        if "joint" in spec.inputs:
            given = trainings.joint_training(model, row)
            trained_with.joint = trainings.full(model, given, split, trainings.experts)
        elif spec.inputs != ("base",):
            trained_with.experts = {
                domain: trainings.full(
                    model, trainings.expert_training(model, domain), split, (domain,)
                )
                for domain in trainings.expert_domains(spec)
            }
        if "labels" in spec.data_tier.reads:
            trained_with.merge = {"select": trainings.merge_choice(model, split).name}
        return trained_with

    def _other_base(self, model: Model, split: PlannedSplit) -> OtherBase | None:
        use = self.track.base
        if use is None:
            return None
        options = self.trainings.base_use(model, split).model.options
        dataset = self._named("dataset", use.dataset, use.dataset_options)
        return OtherBase(dataset=dataset, domains=list(use.domains), options=options)

    def _named(self, kind: str, name: str, given: Mapping[str, Any] | None = None) -> Named:
        spec, _ = self.maker.find((kind,), name)
        options = dict(given or {})
        if spec is not None:
            options = complete(spec, options, self.maker.where)
        return Named(name=name, options=options)

    def _tuned(self, row: Row, backbone: str) -> Tuned:
        use = self.track.backbones.get(backbone)
        return Tuned(
            row=budget(row.tuning or self.track.tuning, self.track),
            backbone=budget(use.tuning if use else None, self.track),
        )
