"""Tracks of kind ``temporal``: what arrives in phases is merged, and tested in the next phase.

The columns of such a track are phases of time in the place of domains. Each is ranked by the
models as they were before it (or after a phase that the protocol names): the model of one phase,
the first one ever since, one that went on from phase to phase, one that was trained on all of them
again, or a merge. Of a merge the first phase's model is the base, and the models of the later
phases are the experts. All their tensors merge, item tables too: phases share the catalogue. An
item's row enters with the phase in which the item does (`recmerge_bench.running.phase_experts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recmerge_bench.definitions import Phases
from recmerge_bench.errors import HandledError
from recmerge_bench.json_values import JsonObject
from recmerge_bench.names import phase_name
from recmerge_bench.planning.chosen_rows import check_chosen_rows
from recmerge_bench.planning.configuration import Configuration, TrainedWith
from recmerge_bench.planning.configuring import Configurations
from recmerge_bench.planning.corpus import PlannedSplit
from recmerge_bench.planning.maker import module
from recmerge_bench.planning.methods import MethodUse, ModelUse, StrategyUse
from recmerge_bench.planning.phase_trainings import PhaseTrainings
from recmerge_bench.planning.served import RowAt, Served
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.track_cells import TrackPlanner
from recmerge_bench.specs import CDSRSpec, StrategySpec
from recmerge_bench.toolkit.merging.hybrids import mixes_domains

#: What of a track has no meaning where phases stand in the place of domains.
FOREIGN = ("source", "base", "experts", "domain_training", "pretraining", "tune", "paper")


@dataclass(frozen=True)
class PhasesServed(Served):
    """Models that rank the phases of a track.

    Attributes:
        columns: the tested phases, by number.
    """

    columns: tuple[int, ...] = ()

    def described(self, track: Track) -> dict[str, object]:
        """What a worker loads them by."""
        columns = {phase_name(n): n for n in self.columns}
        whole = super().described(track)
        return {**whole, "domains": list(columns), "phases": columns, "catalogue": track.domains[0]}


class TemporalConfigurations(Configurations):
    """Says what the rows of a temporal track are made with."""

    def of(self, method: MethodUse, row: Row, split: PlannedSplit) -> Configuration | None:
        """See `Configurations.of`; it also says that phases are merged."""
        made = super().of(method, row, split)
        return made and made.model_copy(update={"phase_models": self.track.phase_models})

    def _behind(self, method: StrategyUse, row: Row, split: PlannedSplit) -> TrainedWith:
        """All phases are trained alike, whichever of them a row takes; all begin at one start."""
        trainings, model = self.trainings, method.model
        domain = self.track.domains[0]
        made = TrainedWith(experts={domain: self._full(method, model.training, split)})
        if "joint" in method.spec.inputs:
            made.joint = self._full(method, trainings.joint_training(model, row), split)
        return made

    def _full(
        self, method: StrategyUse, given: Mapping[str, object], split: PlannedSplit
    ) -> JsonObject:
        full = self.trainings.full(method.model, given, split, self.track.domains)
        return {} if full is None else full.to_json()


class TemporalPlanner(TrackPlanner):
    """Adds the cells of a temporal track to the plan."""

    configurations_of = TemporalConfigurations

    def add(self) -> None:
        """Every row under every protocol.

        Raises:
            HandledError: the track has not one domain, or says what is for domains alone; a
                protocol without phases; a row that has no meaning here.
        """
        check_chosen_rows(self.track, self.maker.registry, self.where)
        self._check()
        corpus = self.corpora.of_track(self.track)
        data = self.corpora.data(corpus)
        for name in self.track.protocols:
            split = self.corpora.split(name, corpus, data)
            if split.reason is None and split.phases is None:
                raise HandledError(
                    f"{self.where} is temporal: the protocol '{name}' has no phases; "
                    "`recmerge-bench plugins list --kind protocol` names some that do"
                )
            for row in self.track.rows:
                self.add_row(row, split)

    def _check(self) -> None:
        track = self.track
        if len(track.domains) != 1:
            raise HandledError(
                f"{self.where} is temporal: it has one domain, whose phases are merged, not "
                f"{len(track.domains)}"
            )
        for name in FOREIGN:
            if getattr(track, name):
                raise HandledError(f"{self.where} is temporal and takes no `{name}:`")
        if self.metrics.lists:
            raise HandledError(f"{self.where} is temporal: metrics of lists are not made there")
        for row in track.rows:
            if row.tune or row.curve:
                raise HandledError(f"{self.where} is temporal: `tune:` and `curve:` of "
                                   f"'{row.method}' have no meaning there")  # fmt: skip
        if any(use.tune for use in track.backbones.values()):
            raise HandledError(f"{self.where} is temporal: `tune:` has no meaning there")

    def columns(self, split: PlannedSplit) -> tuple[str, ...]:
        """Names of the tested phases."""
        return tuple(map(phase_name, _phases(split).tested)) if split.phases else ()

    def _of_model(self, method: ModelUse, at: RowAt) -> Served:
        if isinstance(method.spec, CDSRSpec):
            raise HandledError(f"{self.where} is temporal: '{method.spec.name}' is for several "
                               "domains")  # fmt: skip
        of, phases = self._trainings(at.split), _phases(at.split)
        models: dict[str, str] = {}
        for phase in phases.tested:
            known = of.split(1, phases.serving(phase))
            key = self.trainings.row_models(method.model, known, at.seed)["model"]
            models[f"model:{phase_name(phase)}"] = key
        return PhasesServed(method.model, models, together=True, columns=phases.tested)

    def _of_strategy(self, method: StrategyUse, at: RowAt) -> Served:
        """What the strategy takes or makes of it before each tested phase.

        Raises:
            HandledError: it reads data of users, or makes a model for each expert.
        """
        spec, phases = method.spec, _phases(at.split)
        self._check_strategy(spec, method)
        of = self._trainings(at.split)
        models: dict[str, str] = {}
        for phase in phases.tested:
            after, column = phases.serving(phase), phase_name(phase)
            if spec.passthrough:
                own = of.passed(spec, at.row, method.model, after, at.seed)
            else:
                own = {"model": self._merge_after(method, at, after)}
            models |= {role.replace("model", f"model:{column}", 1): k for role, k in own.items()}
        return PhasesServed(method.model, models, mean_score=spec.mean_score, columns=phases.tested)

    def _check_strategy(self, spec: StrategySpec, method: StrategyUse) -> None:
        if spec.passthrough:
            return
        if spec.data_tier.reads_users:
            raise HandledError(
                f"{self.where} is temporal: '{spec.name}' is of tier {spec.tier}, which reads data "
                "of users; strategies of T0 and T1 merge phases"
            )
        if mixes_domains(spec):
            raise HandledError(f"{self.where} is temporal: '{spec.name}' merges models of two "
                               "domains, and all phases are of one")  # fmt: skip
        if method.options.definition().modulated:
            raise HandledError(f"{self.where} is temporal: '{spec.name}' makes a model for each "
                               "expert, and a coming phase has none")  # fmt: skip

    def _merge_after(self, method: StrategyUse, at: RowAt, phase: int) -> str:
        """The merge of the models of the phases up to this one."""
        spec, model, of = method.spec, method.model, self._trainings(at.split)
        config: dict[str, object] = {
            "model": model.described,
            "strategy": method.options,
            "tier": spec.tier,
            "domains": [phase_name(p) for p in range(2, phase + 1)],
            "phases": {phase_name(p): p for p in range(2, phase + 1)},
            "catalogue": self.track.domains[0],
        }
        inputs = {**of.merged(model, phase, at.seed), "entries": of.entries(phase)}
        inputs |= {"data": at.split.data, **self.trainings.text(model, at.split)}
        label = at.label("merge", f"phases 1-{phase}")
        return self.maker.cell(
            "merge", label, config, config, inputs, (module(spec), *model.modules), at.seed
        )

    def _trainings(self, split: PlannedSplit) -> PhaseTrainings:
        return PhaseTrainings(self.trainings, self.corpora, self.track, split, _phases(split))


def _phases(split: PlannedSplit) -> Phases:
    if split.phases is None:
        raise HandledError(f"the protocol '{split.name}' has no phases")
    return split.phases


__all__ = ["TemporalPlanner"]
