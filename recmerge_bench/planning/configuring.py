"""The configurations of a track's rows, from what the planner fills in."""

from __future__ import annotations

from collections.abc import Mapping

from recmerge_bench.json_values import JsonObject
from recmerge_bench.planning.configuration import (
    Configuration,
    Method,
    Named,
    OtherBase,
    TrainedWith,
    Tuned,
)
from recmerge_bench.planning.corpus import PlannedSplit
from recmerge_bench.planning.hybrids import hybrid_training, own_training
from recmerge_bench.planning.methods import MethodUse, ModelUse, StrategyUse
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.trainings import Model, Trainings
from recmerge_bench.planning.tuning import budget
from recmerge_bench.toolkit.merging.hybrids import mixes_domains
from recmerge_bench.training.options import TrainOptions


class Configurations:
    """Says what each row of a track is made with.

    A configuration is a record, as results and their files carry it: here all options become JSON.

    Args:
        trainings: of the track.
        track: whose rows.
        metrics: of the suite, those that take options.
        executor: that the suite declares.
    """

    def __init__(
        self,
        trainings: Trainings,
        track: Track,
        metrics: Mapping[str, Named] | None = None,
        executor: Named | None = None,
    ) -> None:
        self.trainings, self.track = trainings, track
        self.metrics, self.executor = dict(metrics or {}), executor

    def of(self, method: MethodUse, row: Row, split: PlannedSplit) -> Configuration | None:
        """A row under a protocol; None where its backbone is not there to say its options.

        Raises:
            HandledError: an unknown option or a value of a wrong type.
        """
        track, model = self.track, method.model
        if model.options is None:
            return None
        strategy = isinstance(method, StrategyUse)
        return Configuration(
            method=Method(name=row.method, kind=method.spec.kind, options=method.options.values),  # type: ignore[arg-type]
            backbone=Named(name=model.name, options=model.options.values) if strategy else None,
            encoder=self._encoder(model),
            dataset=split.corpus.dataset.named,
            domains=list(track.domains),
            experts=list(self.trainings.experts),
            source=list(track.source),
            base=self._other_base(model, split) if strategy else None,
            training=self._trained(method, row, split),
            protocol=split.protocol.named,
            profile=track.profile if row.profile is None else row.profile,
            recipe=row.recipe,
            threads=self.trainings.maker.suite.threads,
            tuning=self._tuned(row, method),
            metrics=self.metrics,
            executor=self.executor,
        )

    def _trained(self, method: MethodUse, row: Row, split: PlannedSplit) -> TrainedWith:
        if isinstance(method, ModelUse):
            model = method.model
            own = self.trainings.full(model, model.training, split, self.track.domains)
            return TrainedWith(own=_json(own))
        return self._behind(method, row, split)

    def _behind(self, method: StrategyUse, row: Row, split: PlannedSplit) -> TrainedWith:
        """The trainings whose results a strategy takes."""
        trainings, spec, model = self.trainings, method.spec, method.model
        base = trainings.base_use(model, split)
        trained_with = TrainedWith()
        if base.training is not None:
            full = trainings.full(base.model, base.training, base.split, base.domains)
            trained_with.base = _json(full)
        if "joint" in spec.inputs:
            given = trainings.joint_training(model, row)
            trained_with.joint = _json(trainings.full(model, given, split, trainings.experts))
        elif mixes_domains(spec):
            pairs = trainings.full(model, hybrid_training(model, row), split, trainings.experts)
            trained_with.hybrids = _json(pairs)
            trained_with.experts = {
                domain: _json(trainings.full(model, given, split, (domain,))) or {}
                for domain in self.track.domains
                for given in [own_training(model, row, self.track, domain)]
            }
        elif spec.inputs != ("base",):
            trained_with.experts = {
                domain: self._expert(model, domain, split)
                for domain in trainings.expert_domains(spec)
            }
        if "labels" in spec.data_tier.reads:
            trained_with.merge = {"select": trainings.merge_choice(model, split).name}
        return trained_with

    def _expert(self, model: Model, domain: str, split: PlannedSplit) -> JsonObject:
        given = self.trainings.expert_training(model, domain)
        return _json(self.trainings.full(model, given, split, (domain,))) or {}

    def _other_base(self, model: Model, split: PlannedSplit) -> OtherBase | None:
        use = self.trainings.base_use(model, split)
        if self.track.base is None or use.model.options is None:
            return None
        return OtherBase(
            dataset=use.split.corpus.dataset.named,
            domains=list(self.track.base.domains),
            options=use.model.options.values,
        )

    def _encoder(self, model: Model) -> Named | None:
        if model.encoder is None:
            return None
        return self.trainings.corpora.encoder(model.encoder).plugin.named

    def _tuned(self, row: Row, method: MethodUse) -> Tuned:
        own = method.model.tuning if isinstance(method, StrategyUse) else None
        return Tuned(
            row=budget(row.tuning or self.track.tuning, self.track),
            backbone=budget(own, self.track),
        )


def _json(training: TrainOptions | None) -> JsonObject | None:
    return None if training is None else training.to_json()
