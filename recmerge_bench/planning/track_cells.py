"""The cells of one track: every row under every protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.cells import Plan, Result
from recmerge_bench.planning.chosen_rows import check_chosen_rows
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.planning.configuring import Configurations
from recmerge_bench.planning.corpus import CorpusPlanner, PlannedSplit
from recmerge_bench.planning.maker import CellMaker, Reason, module
from recmerge_bench.planning.methods import MethodUse, ModelUse, StrategyUse, method_of
from recmerge_bench.planning.metrics import SuiteMetrics
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.row_searches import RowSearches, check_searches
from recmerge_bench.planning.searches import Values, Waiting, no_values
from recmerge_bench.planning.sources import Sources
from recmerge_bench.planning.suite import Row, Suite, Track
from recmerge_bench.planning.trainings import Model, Trainings, seed_text
from recmerge_bench.planning.tuning import own_users
from recmerge_bench.registry import Registry
from recmerge_bench.specs import (
    METHOD_KINDS,
    CountingSpec,
    Spec,
    StrategySpec,
)


@dataclass(frozen=True)
class Served:
    """Models that rank the targets of a row, or of a trial of it.

    Attributes:
        model: what they are models of.
        models: role -> key of the cell that holds one.
        together: see `recmerge_bench.running.loading.Stored`, as the others.
        initial_tables: see there.
        mean_score: see there.
    """

    model: Model
    models: Mapping[str, str]
    together: bool = False
    initial_tables: bool = False
    mean_score: bool = False

    def described(self, track: Track) -> dict[str, object]:
        """What a worker loads them by."""
        return {
            "model": self.model.described,
            "counting": isinstance(self.model.spec, CountingSpec),
            "domains": list(track.domains),
            "together": self.together,
            **({"single_target": True} if self.model.single_target else {}),
            "initial_tables": self.initial_tables,
            **({"mean_score": True} if self.mean_score else {}),
        }


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
        self.plan, self.name, self.track, self.metrics = plan, name, track, metrics
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
        self.named: dict[tuple[tuple[str, object], ...], str] = {}  # identity -> key

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

    # -- rows ----------------------------------------------------------------------------------

    def add_row(self, row: Row, split: PlannedSplit) -> None:
        """A strategy once for each backbone; a model by itself."""
        spec, missing = self.maker.find(METHOD_KINDS, row.method)
        blocked = missing or split.reason
        deterministic = isinstance(spec, CountingSpec) and spec.deterministic
        seeds = (None,) if deterministic else self.seeds[: row.replicates or None]
        for name in self._backbones(row, spec, missing):
            if blocked is not None:
                for seed in seeds:
                    self.blocked_result(row, name, split, seed, blocked)
            elif spec is not None:
                self.add_settled(row, spec, name, split, seeds)

    def add_settled(
        self, row: Row, spec: Spec, backbone: str, split: PlannedSplit,
        seeds: Sequence[int | None],
    ) -> None:  # fmt: skip
        """A row with what its searches chose; while they are not finished, their next trials."""
        if row.tune is not None:
            self._check_own_users(row, list(self.track.domains))
        settled = self.searches.settled(row, spec, backbone, split)
        if isinstance(settled, Waiting):
            for seed in seeds:
                self.blocked_result(
                    row, backbone, split, seed, settled.reason, settled.trials,
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
                self.result_of(method, row, split, seed, configuration)
            if settled.trials:
                made = self.plan.results[before:]
                self.plan.results[before:] = [replace(r, trials=settled.trials) for r in made]

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

    def result_of(
        self,
        method: MethodUse,
        row: Row,
        split: PlannedSplit,
        seed: int | None,
        configuration: Configuration | None,
    ) -> None:
        """A row that can run, with one seed."""
        if isinstance(method, StrategyUse):
            self.strategy_result(method, row, split, seed, configuration)
        else:
            self.model_result(method, row, split, seed, configuration)

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

    def blocked_result(
        self, row: Row, backbone: str, split: PlannedSplit, seed: int | None, reason: Reason,
        trials: Sequence[str] = (), waits: bool = False,
    ) -> None:  # fmt: skip
        """A row that cannot run: on the board with its reason.

        One that `waits` for trials cannot run yet; the trials are its inputs.
        """
        identity = {
            **asdict_row(row),
            "backbone": backbone,
            "protocol": split.name,
            "track": self.name,
        }
        inputs = {"data": split.data}
        inputs |= {f"trial:{number}": key for number, key in enumerate(trials)}
        own = self.plan.cells[split.data].blocked
        if own and reason:
            reason = (f"{own[0]}; {reason[0]}", f"{own[1]}; {reason[1]}")
        key = self.maker.cell(
            "rank",
            self.rank_label(row, backbone, split, seed),
            identity,
            {},
            inputs,
            (),
            seed,
            reason,
            waits=waits,
        )
        self.result(key, row, backbone, split, seed)

    def model_result(
        self,
        method: ModelUse,
        row: Row,
        split: PlannedSplit,
        seed: int | None,
        configuration: Configuration | None,
    ) -> None:
        """A CDSR model or a counting recommender, trained on the track's domains."""
        self.rank(self._of_model(method, split, seed), row, "", split, seed, configuration)

    def _of_model(self, method: ModelUse, split: PlannedSplit, seed: int | None) -> Served:
        models = self.trainings.row_models(method.model, split, seed)
        return Served(method.model, models, together=True)

    def strategy_result(
        self,
        method: StrategyUse,
        row: Row,
        split: PlannedSplit,
        seed: int | None,
        configuration: Configuration | None,
    ) -> None:
        """Trained inputs, merged where the strategy merges, and ranked."""
        served = self._of_strategy(method, row, split, seed)
        self.rank(served, row, method.backbone, split, seed, configuration)

    def _of_strategy(
        self, method: StrategyUse, row: Row, split: PlannedSplit, seed: int | None
    ) -> Served:
        """What the strategy takes or makes of it.

        Raises:
            HandledError: the track is data-isolated and the strategy reads more.
        """
        spec, model = method.spec, method.model
        if self.track.isolated and not spec.passthrough and spec.data_tier.reads_users:
            raise HandledError(
                f"{self.where} is data-isolated: '{spec.name}' is of tier {spec.tier}, which reads "
                "data of users; give it a track of its own"
            )
        models = self.trainings.trained(spec, row, model, split, seed)
        if not spec.passthrough:
            models = {"model": self.merge(method, row, split, seed, models)}
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
        if isinstance(method, StrategyUse):
            served = self._of_strategy(method, row, split, seed)
        else:
            served = self._of_model(method, split, seed)
        model, choice = served.model, self.trainings.selector.of(select, split)
        config = {**served.described(self.track), **choice.config}
        inputs = {
            "data": split.data, "split": split.key, **self.trainings.text(model, split),
            **served.models, **choice.inputs,
        }  # fmt: skip
        parts = ["validate", method.backbone, row.method, variant_of(row), seed_text(seed)]
        return self.maker.cell(
            "validate", " ".join(filter(None, parts)), config, config, inputs,
            (*model.modules, *choice.modules), seed, model.reason or choice.reason,
        )  # fmt: skip

    def merge(
        self,
        method: StrategyUse,
        row: Row,
        split: PlannedSplit,
        seed: int | None,
        models: Mapping[str, str],
    ) -> str:
        """The merge cell of a row, and where the row asks for it the cell of its curve."""
        spec, model, tier = method.spec, method.model, method.spec.data_tier
        config: dict[str, object] = {
            "model": model.described,
            "strategy": method.options,
            "tier": spec.tier,
            "domains": list(self.experts),
        }
        modules = (module(spec), *model.modules)
        label = f"merge {method.backbone} {row.method} {variant_of(row)} {seed_text(seed)}"
        inputs = {k: v for k, v in models.items() if not k.startswith("model")}
        if tier.runs_models:
            inputs |= {"data": split.data, **self.trainings.text(model, split)}
        if tier.reads_users:
            inputs["split"] = split.key
        reason = None
        if "labels" in tier.reads:
            choice = self.trainings.merge_choice(model, split)
            config, modules = {**config, **choice.config}, (*modules, *choice.modules)
            inputs, reason = {**inputs, **choice.inputs}, choice.reason
        merged = self.maker.cell("merge", label, config, config, inputs, modules, seed, reason)
        if row.curve and split.shuffle_seed is None:
            inputs |= {"data": split.data, **self.trainings.text(model, split)}
            inputs |= {"split": split.key, "merge": merged}
            self.curve(method, row, split, seed, inputs, modules)
        return merged

    def curve(
        self,
        method: StrategyUse,
        row: Row,
        split: PlannedSplit,
        seed: int | None,
        inputs: Mapping[str, str],
        modules: tuple[str, ...],
    ) -> None:
        """How a learned merge came about, measured after it.

        Raises:
            HandledError: the strategy learns nothing.
        """
        model, backbone = method.model, method.backbone
        if method.options.get("steps") is None:
            raise HandledError(f"{self.where}: '{row.method}' learns no weights: no curve of it")
        temperature = model.options.number("temperature", 1.0) if model.options else 1.0
        config: dict[str, object] = {
            "model": model.described,
            "strategy": method.options,
            "domains": list(self.experts),
            "sample": row.curve,
            "temperature": float(temperature),
        }
        label = f"curve {backbone} {row.method} {variant_of(row)} {seed_text(seed)}"
        key = self.maker.cell("curve", label, config, config, inputs, modules, seed)
        identity = self.identity(row, backbone, split, seed)
        self.plan.curves.append(Result(key, identity, self.experts))

    def rank(
        self,
        served: Served,
        row: Row,
        backbone: str,
        split: PlannedSplit,
        seed: int | None,
        configuration: Configuration | None,
    ) -> None:
        """The rank cell of a row, and the row.

        Against all items, one cell serves protocols with and without the items of the history.
        """
        sampled, model = "candidates" in split.inputs, served.model
        config: dict[str, object] = {
            **served.described(self.track),
            **({"mask_history": split.mask_history} if sampled else {}),
            **({} if split.shuffle_seed is None else {"shuffle_seed": split.shuffle_seed}),
            **({"top_k": self.metrics.longest} if self.metrics.lists and not sampled else {}),
        }
        inputs = {**split.inputs, **self.trainings.text(model, split), **served.models}
        label = self.rank_label(row, backbone, split, seed)
        key = self.maker.cell(
            "rank", label, config, config, inputs, model.modules, seed, model.reason
        )
        masked = split.mask_history and not sampled
        lists = "" if sampled else self.lists(key, label, split, seed, masked)
        self.result(key, row, backbone, split, seed, configuration, masked, lists)

    def lists(
        self, ranks: str, label: str, split: PlannedSplit, seed: int | None, masked: bool
    ) -> str:
        """The cell of a row's list metrics; empty where the suite names none."""
        if not self.metrics.lists:
            return ""
        inputs = {"data": split.data, "split": split.key, "rank": ranks}
        asked = []
        for use in self.metrics.lists:
            role = f"text:{use.text_encoder}" if use.text_encoder else ""
            if use.text_encoder:
                inputs[role] = self.corpora.text(use.text_encoder, split, "vectors")
            asked.append({**use.options.to_json(), "name": use.name, "k": use.k, "text": role})
        config = {"metrics": asked, "domains": list(self.track.domains), "masked": masked}
        modules = tuple(dict.fromkeys(module(use.spec) for use in self.metrics.lists))
        label = label.replace("rank", "lists", 1)
        return self.maker.cell("lists", label, config, config, inputs, modules, seed)

    def rank_label(self, row: Row, backbone: str, split: PlannedSplit, seed: int | None) -> str:
        """What a person reads of a rank cell."""
        parts = ["rank", backbone, row.method, variant_of(row), split.name, seed_text(seed)]
        return " ".join(filter(None, parts))

    def result(
        self,
        key: str,
        row: Row,
        backbone: str,
        split: PlannedSplit,
        seed: int | None,
        configuration: Configuration | None = None,
        masked: bool = False,
        lists: str = "",
    ) -> None:
        """A row of the board for one seed, and what it is made with."""
        identity = self.identity(row, backbone, split, seed)
        if self.named.setdefault(tuple(identity.items()), key) != key:
            raise HandledError(
                f"{self.where}: two rows would have one name, '{row.method}'; "
                "tell them apart by `variant:`"
            )
        self.plan.results.append(
            Result(key, identity, self.columns(split), configuration, masked, lists)
        )

    def columns(self, split: PlannedSplit) -> tuple[str, ...]:
        """What the row has a value of each for: the scored domains."""
        return self.track.domains

    def identity(
        self, row: Row, backbone: str, split: PlannedSplit, seed: int | None
    ) -> dict[str, Any]:
        """What tells a row from others, for one seed."""
        return {
            "dataset": self.track.dataset,
            "backbone": backbone,
            "method": row.method,
            "recipe": row.recipe,
            "profile": self.track.profile if row.profile is None else row.profile,
            "variant": variant_of(row),
            "track": self.name,
            "protocol": split.name,
            "seed": seed,
        }


def asdict_row(row: Row) -> dict[str, object]:
    """A row's own keys, for the identity of a cell that cannot run."""
    return {"method": row.method, "options": row.options, "recipe": row.recipe}
