"""Suite -> plan: which cells there are, what each needs, and why some cannot run here."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench.errors import Blocked, HandledError, near
from recmerge_bench.planning.cells import Cell, Plan, Result
from recmerge_bench.planning.keys import digest, file_digest, source_digest
from recmerge_bench.planning.options import checked, complete
from recmerge_bench.planning.suite import Row, Suite, Track
from recmerge_bench.registry import Registry
from recmerge_bench.running.stages import STAGES
from recmerge_bench.specs import Spec
from recmerge_bench.targets import define
from recmerge_bench.training.options import TrainOptions

Gap = tuple[str, str] | None


def build(suite: Suite, registry: Registry, data_root: Path | None = None) -> Plan:
    """The plan of a suite. Reads raw files' digests, runs nothing, imports no torch.

    Raises:
        HandledError: an unknown name or option.
    """
    plan = Plan(suite.name, header=_header(suite), files=registry.files)
    for name, track in suite.tracks.items():
        TrackPlanner(plan, suite, name, track, registry, data_root).add()
    plan.goals = list(dict.fromkeys(r.key for r in plan.results))
    return plan


def _header(suite: Suite) -> dict[str, Any]:
    tracks = {
        name: {
            "dataset": track.dataset,
            "domains": list(track.domains),
            "source": list(track.source),
            "protocols": list(track.protocols),
            "profile": track.profile,
            "reference": track.reference,
        }
        for name, track in suite.tracks.items()
    }
    return {
        "title": suite.title,
        "label": suite.label,
        "metrics": list(suite.metrics),
        "seeds": list(suite.seeds),
        "tracks": tracks,
        "order": list(tracks),
    }


@dataclass(frozen=True)
class Model:
    """A backbone or CDSR model with everything that its training depends on."""

    name: str
    spec: Spec | None
    options: dict[str, Any]
    training: Mapping[str, Any]
    gap: Gap

    @property
    def described(self) -> dict[str, Any]:
        """The definition as a worker gets it."""
        return {"target": self.spec.target, "options": self.options} if self.spec else {}


class TrackPlanner:
    """Adds the cells of one track to the plan."""

    def __init__(
        self,
        plan: Plan,
        suite: Suite,
        name: str,
        track: Track,
        registry: Registry,
        data_root: Path | None,
    ) -> None:
        self.plan, self.suite, self.name, self.track = plan, suite, name, track
        self.registry, self.data_root = registry, data_root
        self.where = f"suite '{suite.name}', track '{name}'"
        self.seeds = track.seeds if track.seeds is not None else suite.seeds
        self.sources = functools.cache(source_digest)  # no file changes while a plan is made

    def add(self) -> None:
        """Every row under every protocol."""
        data = self.data_cell()
        for name in self.track.protocols:
            cut = self.protocol_cells(name, data)
            for row in self.track.rows:
                self.add_row(row, cut)

    # -- names ---------------------------------------------------------------------------------

    def find(self, kinds: tuple[str, ...], name: str) -> tuple[Spec | None, Gap]:
        """The spec, or why there is none: an error unless the suite expects the absence."""
        for kind in kinds:
            spec = self.registry.specs.get((kind, name))
            if spec is not None:
                return spec, None
        if name in self.suite.expects:
            what = kinds[0] if len(kinds) == 1 else "method"
            return None, (f"no plugin registers the {what} '{name}'", self.suite.expects[name])
        known = [n for kind in kinds for n in self.registry.names(kind)]
        raise HandledError(
            f"{self.where}: no plugin registers the {' or '.join(kinds)} '{name}'"
            f"{near(name, known)}; see `recmerge-bench plugins list`"
        )

    # -- cells ---------------------------------------------------------------------------------

    def cell(
        self,
        kind: str,
        label: str,
        identity: Mapping[str, Any],
        config: Mapping[str, Any],
        inputs: Mapping[str, str],
        modules: tuple[str, ...] = (),
        seed: int | None = None,
        gap: Gap = None,
        cost: float = 1.0,
    ) -> str:
        """Add a cell whose key is made of `identity`, its sources, inputs, seed and threads."""
        gap = gap or next(
            (self.plan.cells[k].blocked for k in inputs.values() if self.plan.cells[k].blocked),
            None,
        )
        content = {
            "kind": kind,
            "sources": self.sources((STAGES[kind], *modules)),
            "identity": identity,
            "inputs": dict(inputs),
            "seed": seed,
            "threads": self.suite.threads,
        }
        job = {"config": dict(config), "plugins": self.versions(modules)}
        return self.plan.add(
            Cell(
                key=digest(content),
                kind=kind,
                label=label,
                inputs=dict(inputs),
                job=job,
                threads=self.suite.threads,
                timeout=self.suite.timeout,
                seed=seed,
                blocked=gap,
                cost=cost,
            )
        )

    def versions(self, modules: tuple[str, ...]) -> dict[str, str]:
        """Versions of the plugins behind these modules, for the record."""
        return {
            p.module: f"{p.origin} {p.version}".strip()
            for p in self.registry.plugins
            if p.module in modules
        }

    def data_cell(self) -> str:
        """The dataset, keyed by its raw files' content."""
        spec, gap = self.find(("dataset",), self.track.dataset)
        label = f"data {self.track.dataset}"
        given = self.track.dataset_options
        if spec is None:
            absent = {"dataset": self.track.dataset, "options": given}
            return self.cell("data", label, absent, {}, {}, gap=gap)
        options = complete(spec, given, self.where)
        definition = define(spec.target, options)
        self.check_domains(definition.domains(self.data_root))
        digests: list[tuple[str, str]] = []
        try:
            files = definition.sources(self.data_root)
            digests = sorted((f.name, file_digest(f)) for f in files)
        except Blocked as missing:
            gap = (missing.reason, missing.mend)
        config = {
            "dataset": {"target": spec.target, "options": options},
            "data_root": str(self.data_root) if self.data_root else None,
        }
        identity: dict[str, Any] = {"target": spec.target, "options": options, "files": digests}
        return self.cell("data", label, identity, config, {}, (module(spec),), gap=gap, cost=2)

    def check_domains(self, known: tuple[str, ...]) -> None:
        """Unknown domains are errors at once."""
        for domain in (*self.track.domains, *self.track.source):
            if domain not in known:
                raise HandledError(
                    f"{self.where}: dataset '{self.track.dataset}' has no domain '{domain}'"
                    f"{near(domain, known)}; it has: {', '.join(known)}"
                )

    def protocol_cells(self, name: str, data: str) -> Cut:
        """The split (shared by protocols that cut alike) and the candidates."""
        spec, gap = self.find(("protocol",), name)
        if spec is None:
            return Cut(name, data, "", {}, gap)
        options = complete(spec, {}, self.where)
        definition = define(spec.target, options)
        described = {"target": spec.target, "options": options}
        domains = {"domains": list(self.track.domains), "unscored": list(self.track.source)}
        split = self.cell(
            "split",
            f"split {self.track.dataset} {'+'.join(self.track.domains)} {name}",
            {"target": spec.target, "options": definition.split_options(), **domains},
            {"protocol": described, **domains},
            {"data": data},
            (module(spec),),
        )
        inputs = {"data": data, "split": split}
        count, seed = definition.candidates(), definition.candidate_seed()
        if count is not None:
            draw = {"count": count, "seed": seed}
            label = f"candidates {count} {self.track.dataset} {'+'.join(self.track.domains)}"
            inputs["candidates"] = self.cell("candidates", label, draw, draw, inputs)
        return Cut(name, data, split, inputs, None, bool(definition.mask_history()))

    def train_cell(
        self,
        model: Model,
        cut: Cut,
        domains: tuple[str, ...],
        seed: int | None,
        what: str,
        training: Mapping[str, Any],
        base: str | None = None,
    ) -> str:
        """One training, of these domains, from the base where there is one."""
        spec = model.spec
        counting = bool(spec and spec.counting)
        full = {} if counting else checked(TrainOptions, training, f"{self.where}, training")
        config = {
            "model": model.described,
            "counting": counting,
            "training": full,
            "domains": list(domains),
        }
        inputs = {"data": cut.data, "split": cut.split, **({"base": base} if base else {})}
        label = " ".join(filter(None, ["train", model.name, what, "+".join(domains), _seed(seed)]))
        modules = (module(spec),) if spec else ()
        cost = 1.0 if counting else max(2.0, 0.03 * float(full.get("steps") or 1000))
        return self.cell("train", label, config, config, inputs, modules, seed, model.gap, cost)

    # -- rows ----------------------------------------------------------------------------------

    def add_row(self, row: Row, cut: Cut) -> None:
        """A strategy once for each backbone; a model by itself."""
        spec, gap = self.find(("strategy", "cdsr", "backbone"), row.method)
        strategy = spec is not None and spec.kind == "strategy"
        if gap is not None and (row.backbones or self.track.backbones):
            names: tuple[str, ...] = row.backbones or tuple(self.track.backbones)
        elif strategy:
            names = row.backbones or tuple(self.track.backbones)
            if not names:
                raise HandledError(f"{self.where}: '{row.method}' needs `backbones:` in the track")
        else:
            names = ("",)
        for name in names:
            deterministic = bool(spec and spec.kind != "strategy" and spec.deterministic)
            for seed in (None,) if deterministic else self.seeds:
                if gap is not None or cut.gap is not None or spec is None:
                    self.gap_result(row, name, cut, seed, gap or cut.gap)
                elif strategy:
                    self.strategy_result(spec, row, name, cut, seed)
                else:
                    self.model_result(spec, row, cut, seed)

    def gap_result(self, row: Row, backbone: str, cut: Cut, seed: int | None, gap: Gap) -> None:
        """A row that cannot run: on the board with its reason."""
        identity = {
            **asdict_row(row),
            "backbone": backbone,
            "protocol": cut.name,
            "track": self.name,
        }
        inputs = {"data": cut.data}
        own = self.plan.cells[cut.data].blocked
        if own and gap:
            gap = (f"{own[0]}; {gap[0]}", f"{own[1]}; {gap[1]}")
        key = self.cell(
            "rank", self.rank_label(row, backbone, cut, seed), identity, {}, inputs, (), seed, gap
        )
        self.result(key, row, backbone, cut, seed)

    def model_result(self, spec: Spec, row: Row, cut: Cut, seed: int | None) -> None:
        """A CDSR model or a counting recommender, trained on the track's domains."""
        model = self.model(row.method, spec, row.options, {**self.track.training, **row.training})
        key = self.train_cell(model, cut, self.track.domains, seed, "", model.training)
        self.rank(model, row, "", cut, seed, {"model": key}, together=True)

    def strategy_result(self, spec: Spec, row: Row, name: str, cut: Cut, seed: int | None) -> None:
        """Trained inputs, merged where the strategy merges, and ranked."""
        model = self.backbone(name)
        options = complete(spec, row.options, self.where)
        models = self.trained(spec, model, cut, seed)
        if not spec.passthrough:
            config = {
                "model": model.described,
                "strategy": {"target": spec.target, "options": options},
                "tier": spec.tier,
                "domains": list(self.track.domains),
            }
            modules = (module(spec), *((module(model.spec),) if model.spec else ()))
            label = f"merge {name} {row.method} {_variant(row)} {_seed(seed)}"
            inputs = {k: v for k, v in models.items() if not k.startswith("model")}
            if spec.tier != "T0":
                inputs["data"] = cut.data
            models = {"model": self.cell("merge", label, config, config, inputs, modules, seed)}
        untouched = spec.passthrough and spec.inputs == ("base",)
        self.rank(model, row, name, cut, seed, models, initial_tables=untouched)

    def trained(self, spec: Spec, model: Model, cut: Cut, seed: int | None) -> dict[str, str]:
        """role -> key of what the strategy takes; ``model*`` roles where it passes them through."""
        base = self.base(model, cut, seed)
        if "joint" in spec.inputs:
            training = {**model.training, **self.track.joint}
            joint = self.train_cell(model, cut, self.track.domains, seed, "joint", training, base)
            return {"model": joint}
        if spec.inputs == ("base",):
            return {"model": base} if spec.passthrough else {"base": base}
        roles = {} if spec.passthrough else {"base": base}
        for domain in self.track.domains:
            expert = self.train_cell(model, cut, (domain,), seed, "fine-tune", model.training, base)
            roles[f"{'model' if spec.passthrough else 'expert'}:{domain}"] = expert
        return roles

    def base(self, model: Model, cut: Cut, seed: int | None) -> str:
        """The shared base: trained on the source domain, or the initial weights without one."""
        training = {**model.training, **self.track.pretraining}
        if not self.track.source:
            # no learning rate: the initial weights, shared by the experts (protocol P2)
            training = {**training, "steps": 1, "epochs": 0, "lr": 0.0, "eval_every": -1}
        domains = self.track.source or self.track.domains
        return self.train_cell(model, cut, domains, seed, "base", training)

    def backbone(self, name: str) -> Model:
        """A backbone as the track uses it."""
        spec, gap = self.find(("backbone",), name)
        use = self.track.backbones.get(name)
        options = use.options if use else {}
        training = {**self.track.training, **(use.training if use else {})}
        return self.model(name, spec, options, training, gap)

    def model(
        self,
        name: str,
        spec: Spec | None,
        options: Mapping[str, Any],
        training: Mapping[str, Any],
        gap: Gap = None,
    ) -> Model:
        """Options filled in and checked."""
        full = complete(spec, options, self.where) if spec else dict(options)
        return Model(name, spec, full, training, gap)

    def rank(
        self,
        model: Model,
        row: Row,
        backbone: str,
        cut: Cut,
        seed: int | None,
        models: Mapping[str, str],
        together: bool = False,
        initial_tables: bool = False,
    ) -> None:
        """The rank cell of a row, and the row."""
        config = {
            "model": model.described,
            "counting": bool(model.spec and model.spec.counting),
            "domains": list(self.track.domains),
            "mask_history": cut.mask_history,
            "together": together,
            "initial_tables": initial_tables,
        }
        inputs = {**cut.inputs, **models}
        modules = (module(model.spec),) if model.spec else ()
        label = self.rank_label(row, backbone, cut, seed)
        key = self.cell("rank", label, config, config, inputs, modules, seed, model.gap)
        self.result(key, row, backbone, cut, seed)

    def rank_label(self, row: Row, backbone: str, cut: Cut, seed: int | None) -> str:
        """What a person reads of a rank cell."""
        parts = ["rank", backbone, row.method, _variant(row), cut.name, _seed(seed)]
        return " ".join(filter(None, parts))

    def result(self, key: str, row: Row, backbone: str, cut: Cut, seed: int | None) -> None:
        """A row of the board for one seed."""
        identity = {
            "dataset": self.track.dataset,
            "backbone": backbone,
            "method": row.method,
            "recipe": row.recipe,
            "profile": self.track.profile,
            "variant": _variant(row),
            "track": self.name,
            "protocol": cut.name,
            "seed": seed,
        }
        for other in self.plan.results:
            if other.identity == identity and other.key != key:
                raise HandledError(
                    f"{self.where}: two rows would have one name, '{row.method}'; "
                    "tell them apart by `variant:`"
                )
        self.plan.results.append(Result(key, identity, self.track.domains))


@dataclass(frozen=True)
class Cut:
    """A protocol's cells: what rank cells of it take as inputs."""

    name: str
    data: str
    split: str
    inputs: Mapping[str, str]
    gap: Gap
    mask_history: bool = False


def data_cell_alone(
    registry: Registry,
    name: str,
    data_root: Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> tuple[Plan, str]:
    """A plan of one data cell, with the key that it has in suites.

    Raises:
        HandledError: no such dataset, or a wrong option.
    """
    registry.get("dataset", name)
    given = dict(options or {})
    track = Track(dataset=name, dataset_options=given, domains=(), protocols=(), rows=())
    suite = Suite.model_validate({"name": "data", "tracks": {"data": track}})
    plan = Plan("data", files=registry.files)
    return plan, TrackPlanner(plan, suite, "data", track, registry, data_root).data_cell()


def module(spec: Spec) -> str:
    """The module of a spec's class."""
    return spec.target.partition(":")[0]


def asdict_row(row: Row) -> dict[str, Any]:
    """A row's own keys, for the identity of a cell that cannot run."""
    return {"method": row.method, "options": row.options, "recipe": row.recipe}


def _variant(row: Row) -> str:
    if row.variant is not None:
        return row.variant
    return ",".join(f"{k}={row.options[k]}" for k in sorted(row.options))


def _seed(seed: int | None) -> str:
    return "" if seed is None else f"seed {seed}"


__all__ = ["TrackPlanner", "build", "data_cell_alone"]
