"""The cells of one track: every row under every protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.chosen_rows import check_chosen_rows
from recmerge_bench.planning.configuring import Configurations
from recmerge_bench.planning.corpus import CorpusPlanner, PlannedSplit
from recmerge_bench.planning.hybrids import Hybrids
from recmerge_bench.planning.maker import CellMaker, Reason
from recmerge_bench.planning.merge_cells import MergeCells
from recmerge_bench.planning.methods import MethodUse, ModelUse, StrategyUse, method_of
from recmerge_bench.planning.metrics import SuiteMetrics
from recmerge_bench.planning.row_results import RowResults
from recmerge_bench.planning.row_searches import RowSearches, check_searches
from recmerge_bench.planning.searches import Values, Waiting, no_values
from recmerge_bench.planning.served import RowAt, Served
from recmerge_bench.planning.sources import Sources
from recmerge_bench.planning.suite import Row, Suite, Track
from recmerge_bench.planning.trainings import Trainings
from recmerge_bench.planning.tuning import own_users
from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS, CountingSpec, Spec, StrategySpec
from recmerge_bench.toolkit.merging.hybrids import mixes_domains


class TrackPlanner:
    """Adds the cells of one track to the plan."""

    configurations_of = Configurations

    def __init__(
        self,
        plan: Plan,
        suite: Suite,
        name: str,
        track: Track,
        registry: Registry,
        data_root: Path | None,
        sources: Sources,
        metrics: SuiteMetrics,
        values: Values = no_values,
    ) -> None:
        self.plan, self.track, self.metrics = plan, track, metrics
        self.where = f"suite '{suite.name}', track '{name}'"
        self.maker = CellMaker(plan, suite, self.where, registry, data_root, sources)
        self.corpora = CorpusPlanner(self.maker)
        self.trainings = Trainings(self.maker, self.corpora, track)
        self.configurations = self.configurations_of(
            self.trainings, track, metrics.with_options,
            plan.executor.named if plan.executor else None,
        )  # fmt: skip
        self.searches = RowSearches(
            plan, self.maker, self.trainings, track, self.judge, values
        )  # fmt: skip
        self.experts = self.trainings.experts
        self.seeds = track.seeds if track.seeds is not None else suite.seeds
        self.merges = MergeCells(plan, self.maker, self.trainings)
        self.hybrids = Hybrids(self.trainings, self.merges)
        self.results = RowResults(
            plan, name, track, self.maker, self.corpora, self.trainings, metrics, self.columns
        )

    def add(self) -> None:
        """Every row under every protocol.

        Raises:
            HandledError: training options for a domain that has no expert; a baseline or a row
                of the gate that is no row.
        """
        check_chosen_rows(self.track, self.maker.registry, self.where)
        check_searches(self.track, self.where)
        methods = [row.method for row in self.track.rows]
        for name in self.track.models:
            if name not in methods:
                fault = f"`models` names '{name}', which is no row{near(name, methods)}"
                raise HandledError(f"{self.where}: {fault}")
        for domain in self.track.domain_training:
            if domain not in (*self.experts, *self.track.domains):
                raise HandledError(
                    f"{self.where}: domain_training names '{domain}', which has no expert"
                    f"{near(domain, self.experts)}"
                )
        corpus, source = self.corpora.of_track(self.track), self.corpora.of_base(self.track)
        data = self.corpora.data(corpus)
        below = self.corpora.data(source) if source else ""
        for name in self.track.protocols:
            base = self.corpora.split(name, source, below, ranked=False) if source else None
            split = self.corpora.split(name, corpus, data, base)
            for row in self.track.rows:
                self.add_row(row, split)

    def add_row(self, row: Row, split: PlannedSplit) -> None:
        """A strategy once for each backbone; a model by itself."""
        spec, missing = self.maker.find(METHOD_KINDS, row.method)
        blocked = missing or split.reason
        deterministic = isinstance(spec, CountingSpec) and spec.deterministic
        seeds = (None,) if deterministic else self.seeds[: row.replicates or None]
        for name in self._backbones(row, spec, missing):
            if blocked is not None:
                for seed in seeds:
                    self.results.blocked(RowAt(row, name, split, seed), blocked)
            elif spec is not None:
                self._add_settled(row, spec, name, split, seeds)

    def _backbones(self, row: Row, spec: Spec | None, missing: Reason) -> tuple[str, ...]:
        """Backbones whose models a row merges; one without a name for models by themselves.

        Raises:
            HandledError: a strategy's row and its track name none.
        """
        names = row.backbones or tuple(self.track.backbones)
        if isinstance(spec, StrategySpec) and not names:
            raise HandledError(f"{self.where}: '{row.method}' needs `backbones:` in the track")
        merges = isinstance(spec, StrategySpec) or missing is not None
        return names if merges and names else ("",)

    def _add_settled(
        self, row: Row, spec: Spec, backbone: str, split: PlannedSplit,
        seeds: Sequence[int | None],
    ) -> None:  # fmt: skip
        """A row with what its searches chose; while they are not finished, their next trials."""
        if row.tune is not None:
            self._check_own_users(row, list(self.track.domains))
        settled = self.searches.settled(row, spec, backbone, split)
        if isinstance(settled, Waiting):
            for seed in seeds:
                self.results.blocked(
                    RowAt(row, backbone, split, seed), settled.reason, settled.trials,
                    waits=settled.blocked is None,
                )  # fmt: skip
            return
        row = settled.row
        if method := method_of(spec, row, backbone, self.trainings, settled.backbone):
            configuration = self.configurations.of(method, row, split)
            declared = configuration.tuning.row if configuration else None
            self._check_own_users(row, own_users(declared, self.track))
            before = len(self.plan.results)
            for seed in seeds:
                at = RowAt(row, method.backbone, split, seed)
                self.results.rank(self._served(method, at), at, configuration)
            if settled.trials:
                made = self.plan.results[before:]
                self.plan.results[before:] = [replace(r, trials=settled.trials) for r in made]

    def _check_own_users(self, row: Row, domains: list[str]) -> None:
        """A track without users' data has no row that was tuned on theirs, of these domains.

        Raises:
            HandledError: the row was.
        """
        if self.track.isolated and domains:
            raise HandledError(
                f"{self.where} is data-isolated: '{row.method}' was tuned on labels of its users "
                f"({', '.join(domains)}); give such rows a track of their own whose name says so"
            )

    def _served(self, method: MethodUse, at: RowAt) -> Served:
        """The models that a row is of: trained, and merged where it merges."""
        if isinstance(method, StrategyUse):
            return self._of_strategy(method, at)
        return self._of_model(method, at)

    def _of_model(self, method: ModelUse, at: RowAt) -> Served:
        """A CDSR model or a counting recommender, trained on the track's domains."""
        models = self.trainings.row_models(method.model, at.split, at.seed)
        return Served(method.model, models, together=True)

    def _of_strategy(self, method: StrategyUse, at: RowAt) -> Served:
        """What the strategy takes or makes of it.

        Raises:
            HandledError: the track is data-isolated and the strategy reads more.
        """
        spec, model = method.spec, method.model
        if mixes_domains(spec):
            return self.hybrids.served(method, at, self.results.identity(at))
        if self.track.isolated and not spec.passthrough and spec.data_tier.reads_users:
            raise HandledError(
                f"{self.where} is data-isolated: '{spec.name}' is of tier {spec.tier}, which reads "
                "data of users; give it a track of its own"
            )
        models = self.trainings.trained(spec, at.row, model, at.split, at.seed)
        if not spec.passthrough:
            merged = self.merges.merge(method, at, models, self.results.identity(at))
            models = {"model": merged}
        # What a domain keeps for itself stays as built where no training has seen the domain.
        untouched = spec.passthrough and spec.inputs == ("base",)
        takes_experts = "experts" in spec.inputs
        trained = self.trainings.expert_domains(spec) if takes_experts else self.trainings.experts
        unseen = set(self.track.domains) - set(trained)
        return Served(
            model, models, initial_tables=untouched or bool(unseen), mean_score=spec.mean_score
        )

    def judge(
        self, method: MethodUse, row: Row, split: PlannedSplit, seed: int | None, select: str
    ) -> str:
        """The cell that judges a trial of a search by validation targets."""
        at = RowAt(row, method.backbone, split, seed)
        served = self._served(method, at)
        model, choice = served.model, self.trainings.selector.of(select, split)
        config = {**served.described(self.track), **choice.config}
        inputs = {
            "data": split.data, "split": split.key, **self.trainings.text(model, split),
            **served.models, **choice.inputs,
        }  # fmt: skip
        return self.maker.cell(
            "validate", at.label("validate"), config, config, inputs,
            (*model.modules, *choice.modules), seed, model.reason or choice.reason,
        )  # fmt: skip

    def columns(self, split: PlannedSplit) -> tuple[str, ...]:
        """What a row has a value of each for: the scored domains."""
        return self.track.domains
