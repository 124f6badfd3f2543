"""The trained models of a track: bases, experts, joint and CDSR models, as cells."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recmerge_bench.borders.models import check_facts
from recmerge_bench.errors import HandledError
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.corpus import CorpusPlanner, PlannedSplit
from recmerge_bench.planning.maker import CellMaker, Reason, module
from recmerge_bench.planning.options import complete, training_options
from recmerge_bench.planning.selection import Choice, Selector
from recmerge_bench.planning.spaces import Chosen
from recmerge_bench.planning.suite import Row, Track
from recmerge_bench.planning.tuning import Tuning
from recmerge_bench.specs import (
    BackboneSpec,
    CDSRSpec,
    CountingSpec,
    ModelSpec,
    Profile,
    StrategySpec,
)
from recmerge_bench.training.options import TrainOptions


@dataclass(frozen=True)
class Model:
    """A backbone or CDSR model with everything that its training depends on.

    Attributes:
        name: by which the suite names it.
        spec: None where its plugin is not there and the suite expects that.
        options: all of them; None where there is no spec.
        training: what is given of its trainings, under what a training of its own is given.
        reason: why it cannot be trained here, and the remedy.
        encoder: of item text, where it reads any.
        trains_encoder: whether it reads the encoder's tokens.
        starts_from_encoder: whether its base is, or is trained from, the encoder's weights.
        setting: what a search set of it, `Setting.key`; empty where there is none.
        tuning: what was tried before its settings were fixed, of a backbone.
    """

    name: str
    spec: ModelSpec | None
    options: CompleteOptions | None
    training: Mapping[str, object]
    reason: Reason
    encoder: str | None = None
    trains_encoder: bool = False
    starts_from_encoder: bool = False
    setting: str = ""
    tuning: Tuning | None = None

    @property
    def pretrained(self) -> bool:
        """Whether its shared base starts from its encoder's weights."""
        return bool(self.starts_from_encoder and self.encoder and self.spec)

    @property
    def described(self) -> CompleteOptions | dict[str, object]:
        """What a worker makes the definition of; nothing where there is none."""
        return {} if self.options is None else self.options

    @property
    def modules(self) -> tuple[str, ...]:
        """Of its class, where there is one."""
        return () if self.spec is None else (module(self.spec),)

    @property
    def single_target(self) -> bool:
        """Whether one is trained for each domain that it predicts in."""
        return isinstance(self.spec, CDSRSpec) and self.spec.single_target


@dataclass(frozen=True)
class BaseUse:
    """How the shared base comes about.

    Attributes:
        model: with the options that it is trained with.
        split: the data.
        domains: trained on jointly.
        training: options of the training; None where pre-trained weights are the base.
    """

    model: Model
    split: PlannedSplit
    domains: tuple[str, ...]
    training: Mapping[str, object] | None


class Trainings:
    """Adds the cells that train a track's models.

    Args:
        maker: adds cells.
        corpora: the cells of its data.
        track: whose models.
    """

    def __init__(self, maker: CellMaker, corpora: CorpusPlanner, track: Track) -> None:
        self.maker, self.corpora, self.track = maker, corpora, track
        self.where = maker.where
        self.experts = track.experts or track.domains
        self.selector = Selector(maker, corpora, track.protocols, maker.suite.metrics)
        # Rows of one backbone share its models: these are asked for once a row and seed.
        self._backbones: dict[tuple[str, str, bool], Model] = {}
        self._bases: dict[tuple[str, str, str, int | None], str] = {}
        self._experts: dict[tuple[str, str, str, str, int | None], str] = {}

    def cell(
        self,
        model: Model,
        split: PlannedSplit,
        domains: tuple[str, ...],
        seed: int | None,
        what: str,
        training: Mapping[str, object],
        base: str | None = None,
        target: str | None = None,
    ) -> str:
        """One training, of these domains, from the base where there is one.

        `target` is the domain that a single-target model is for.
        """
        choice = self.choice(model, training, split, (target,) if target else domains)
        full = self._filled(model, training, choice)
        config = {
            "model": model.described,
            "counting": full is None,
            "training": {} if full is None else full,
            "domains": list(domains),
            **({"target": target} if target else {}),
            **choice.config,
        }
        inputs = {"data": split.data, "split": split.key, **self.text(model, split)}
        inputs |= choice.inputs
        if base:
            inputs["base"] = base
        whose = target or "+".join(domains)
        label = " ".join(filter(None, ["train", model.name, what, whose, seed_text(seed)]))
        modules = (*model.modules, *choice.modules)
        cost = 1.0 if full is None else max(2.0, 0.03 * (full.steps or 1000))
        return self.maker.cell(
            "train",
            label,
            config,
            config,
            inputs,
            modules,
            seed,
            model.reason or choice.reason,
            cost,
        )

    def full(
        self,
        model: Model,
        training: Mapping[str, object],
        split: PlannedSplit,
        domains: Sequence[str],
    ) -> TrainOptions | None:
        """All options of a training for these domains, checked; None of a counting recommender.

        ``select`` is what the training is chosen by, "" where nothing is validated.

        Raises:
            HandledError: an unknown option or a value of a wrong type.
        """
        return self._filled(model, training, self.choice(model, training, split, domains))

    def _filled(
        self, model: Model, training: Mapping[str, object], choice: Choice
    ) -> TrainOptions | None:
        if isinstance(model.spec, CountingSpec):
            return None
        return _selected(training_options(training, self.where), choice.name)

    def choice(
        self,
        model: Model,
        training: Mapping[str, object],
        split: PlannedSplit,
        domains: Sequence[str],
    ) -> Choice:
        """By what a training for these domains is chosen.

        Raises:
            HandledError: see `Selector.of`.
        """
        if isinstance(model.spec, CountingSpec):
            return Choice()
        options = training_options(training, self.where)
        scored = any(d in split.corpus.domains for d in domains)
        return self.selector.of(options.select, split, scored and options.eval_every >= 0)

    def merge_choice(self, model: Model, split: PlannedSplit) -> Choice:
        """By what a merge that reads labels is tuned: as the models are, were they validated."""
        return self.selector.of(training_options(model.training, self.where).select, split)

    def joint_training(self, model: Model, row: Row) -> dict[str, object]:
        """What is given of the joint model's training."""
        return {**model.training, **self.track.joint, **row.training}

    def expert_training(self, model: Model, domain: str) -> dict[str, object]:
        """What is given of the training of a domain's expert."""
        return {**model.training, **self.track.domain_training.get(domain, {})}

    def expert_domains(self, spec: StrategySpec) -> tuple[str, ...]:
        """Whose experts a strategy takes: to pass each through, those of the scored domains."""
        each = spec.passthrough and not spec.mean_score
        return self.track.domains if each else self.experts

    def trained(
        self, spec: StrategySpec, row: Row, model: Model, split: PlannedSplit, seed: int | None
    ) -> dict[str, str]:
        """role -> key of what the strategy takes; ``model*`` roles where it passes them through."""
        if "continued" in spec.inputs:
            raise HandledError(f"{self.where}: '{spec.name}' goes from phase to phase: it is for "
                               "tracks of `kind: temporal`")  # fmt: skip
        base = self.base(model, split, seed)
        if "joint" in spec.inputs:
            training = self.joint_training(model, row)
            joint = self.cell(model, split, self.experts, seed, "joint", training, base)
            return {"model": joint}
        if spec.inputs == ("base",):
            return {"model": base} if spec.passthrough else {"base": base}
        roles = {} if spec.passthrough else {"base": base}
        for domain in self.expert_domains(spec):
            place = (model.name, model.setting, split.name, domain, seed)
            if place not in self._experts:
                training = self.expert_training(model, domain)
                expert = self.cell(model, split, (domain,), seed, "fine-tune", training, base)
                self._experts[place] = expert
            roles[f"{'model' if spec.passthrough else 'expert'}:{domain}"] = self._experts[place]
        return roles

    def base(self, model: Model, split: PlannedSplit, seed: int | None) -> str:
        """The shared base: trained on a source; pre-trained or initial weights without one."""
        place = (model.name, model.setting, split.name, seed)
        if place not in self._bases:
            self._bases[place] = self._base(model, split, seed)
        return self._bases[place]

    def _base(self, model: Model, split: PlannedSplit, seed: int | None) -> str:
        use = self.base_use(model, split)
        start = self.weights(use.model)
        if use.training is None and start is not None:
            return start
        return self.cell(use.model, use.split, use.domains, seed, "base", use.training or {}, start)

    def base_use(self, model: Model, split: PlannedSplit) -> BaseUse:
        """How it comes about."""
        training = {**model.training, **self.track.pretraining}
        use = self.track.base
        if split.base is not None and use is not None:
            made = self.over(model, use.options)
            return BaseUse(made, split.base, use.domains, {**training, **use.training})
        if not self.track.source:
            if model.pretrained:
                return BaseUse(model, split, (), None)
            # no learning rate: the initial weights, shared by the experts (protocol P2)
            training = {**training, "steps": 1, "epochs": 0, "lr": 0.0, "eval_every": -1}
        return BaseUse(model, split, self.track.source or self.experts, training)

    def weights(self, model: Model) -> str | None:
        """The pre-trained weights that a model starts from, if it does."""
        if not model.pretrained or model.encoder is None:
            return None
        if model.spec is None or model.options is None:
            return None
        return self.corpora.weights(model.encoder, model.options, module(model.spec))

    def over(self, model: Model, options: Mapping[str, object]) -> Model:
        """The model with options laid over its own."""
        if model.spec is None or model.options is None or not options:
            return model
        full = complete(model.spec, {**model.options.values, **options}, f"{self.where}, base")
        return _made(model.name, model.spec, full, model.training, model.reason)

    def backbone(self, name: str, chosen: Chosen | None = None) -> Model:
        """A backbone as the track uses it, with what a search chose laid over it."""
        chosen = chosen or Chosen()
        place = (name, chosen.setting.key, chosen.tuning is not None)
        if place not in self._backbones:
            self._backbones[place] = self._backbone(name, chosen)
        return self._backbones[place]

    def _backbone(self, name: str, chosen: Chosen) -> Model:
        registered, reason = self.maker.find(("backbone",), name)
        spec = registered if isinstance(registered, BackboneSpec) else None
        use = self.track.backbones.get(name)
        options, training = (use.options, use.training) if use else ({}, {})
        options = {**options, **dict(chosen.setting.options)}
        training = {**training, **dict(chosen.setting.training)}
        model = self.model(name, spec, options, training, self.track.profile, reason)
        tuning = chosen.tuning or (use.tuning if use else None)
        return replace(model, setting=chosen.setting.key, tuning=tuning)

    def of_row(self, spec: ModelSpec, row: Row) -> Model:
        """A CDSR model, backbone or counting recommender that is a row by itself."""
        profile = self.track.profile if row.profile is None else row.profile
        use = self.track.models.get(row.method)
        options = {**(use.options if use else {}), **row.options}
        training = {**(use.training if use else {}), **row.training}
        return self.model(row.method, spec, options, training, profile)

    def row_models(self, model: Model, split: PlannedSplit, seed: int | None) -> dict[str, str]:
        """role -> key of a row's model, or of one for each target domain."""
        domains = self.track.domains
        if not model.single_target:
            return {"model": self.cell(model, split, domains, seed, "", model.training)}
        return {
            f"model:{domain}": self.cell(
                model, split, domains, seed, "", model.training, target=domain
            )
            for domain in domains
        }

    def model(
        self,
        name: str,
        spec: ModelSpec | None,
        options: Mapping[str, object],
        training: Mapping[str, object],
        profile: str,
        reason: Reason = None,
    ) -> Model:
        """Options filled in and checked: the plugin's, its profile's and the suite's."""
        preset = (spec.profiles.get(profile) if spec else None) or Profile()
        training = {**self.track.training, **preset.training, **training}
        if spec is None:
            return Model(name, None, None, training, reason)
        full = complete(spec, {**preset.options, **options}, self.where)
        if isinstance(spec, CountingSpec):
            return Model(name, spec, full, training, reason)
        return _made(name, spec, full, training, reason)

    def text(self, model: Model, split: PlannedSplit) -> dict[str, str]:
        """The input of item vectors, for a model that reads them."""
        form = "tokens" if model.trains_encoder else "vectors"
        return {"text": self.corpora.text(model.encoder, split, form)} if model.encoder else {}


@functools.cache
def _selected(options: TrainOptions, select: str) -> TrainOptions:
    """The options with what the training is chosen by: the same value for all who ask."""
    return replace(options, select=select)


def _made(
    name: str,
    spec: ModelSpec,
    options: CompleteOptions,
    training: Mapping[str, object],
    reason: Reason,
) -> Model:
    """A model, with what its definition says of encoders."""
    made = options.definition()
    check_facts(made)
    encoder, trains = made.text_encoder(), made.trains_encoder()
    return Model(name, spec, options, training, reason, encoder, trains, made.starts_from_encoder())


def seed_text(seed: int | None) -> str:
    """For labels."""
    return "" if seed is None else f"seed {seed}"
