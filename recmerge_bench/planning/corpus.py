"""Cells of a dataset under a protocol: events, item vectors, the split, the candidates."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from recmerge_bench.borders.datasets import domains_of
from recmerge_bench.borders.splits import Rules, rules_of
from recmerge_bench.definitions import Phases
from recmerge_bench.errors import HandledError, near
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.maker import CellMaker, PluginUse, Reason, module
from recmerge_bench.planning.suite import Track


@dataclass(frozen=True)
class Corpus:
    """A dataset and which of its domains are used.

    Attributes:
        dataset: with its options.
        domains: scored (or, for a base's corpus, trained on).
        unscored: further domains to split alike.
    """

    dataset: PluginUse
    domains: tuple[str, ...]
    unscored: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedSplit:
    """A corpus under a protocol: what trainings and rank cells take as inputs.

    Attributes:
        protocol: with its options.
        data: key of the data cell.
        key: of the split cell.
        inputs: of rank cells: data, split and, where sampled, candidates.
        reason: why there is no such split here, and the remedy.
        corpus: what was split.
        mask_history: whether the history is taken out of the ranking.
        shuffle_seed: of the random order in which test histories are read; None: the true one.
        base: the split that the shared base is trained on, where its dataset is another.
        phases: of the protocol, where it has any.
    """

    protocol: PluginUse
    data: str
    key: str
    inputs: Mapping[str, str]
    reason: Reason
    corpus: Corpus
    mask_history: bool = False
    shuffle_seed: int | None = None
    base: PlannedSplit | None = field(default=None)
    phases: Phases | None = None

    @property
    def name(self) -> str:
        """The protocol's."""
        return self.protocol.name


@dataclass(frozen=True)
class EncoderUse:
    """A text encoder as cells of item vectors and of weights name it.

    Attributes:
        plugin: with its options.
        config: what a worker is handed.
        identity: what their keys are made of: its files' digests too.
        modules: of its class.
        reason: why it cannot be used here, and the remedy.
    """

    plugin: PluginUse
    config: Mapping[str, object]
    identity: Mapping[str, object]
    modules: tuple[str, ...]
    reason: Reason


class CorpusPlanner:
    """Adds these cells to the plan."""

    def __init__(self, maker: CellMaker) -> None:
        self.maker = maker
        self.encoder = functools.cache(self._encoder)
        self.protocol = functools.cache(self._protocol)

    def of_track(self, track: Track) -> Corpus:
        """The track's own."""
        known = (*track.domains, *track.source)
        others = tuple(d for d in track.experts if d not in known)
        dataset = self.maker.use("dataset", track.dataset, track.dataset_options)
        return Corpus(dataset, track.domains, (*track.source, *others))

    def of_base(self, track: Track) -> Corpus | None:
        """The one that the track's base is trained on, where it is another."""
        if track.base is None:
            return None
        dataset = self.maker.use("dataset", track.base.dataset, track.base.dataset_options)
        return Corpus(dataset, track.base.domains)

    def data(self, corpus: Corpus) -> str:
        """The dataset, keyed by its raw files' content."""
        maker, dataset = self.maker, corpus.dataset
        label = f"data {dataset.name}"
        if dataset.spec is None or dataset.options is None:
            absent = {"dataset": dataset.name, "options": dataset.given}
            return maker.cell("data", label, absent, {}, {}, reason=dataset.reason)
        options = dataset.options
        made = options.definition()
        self._check_domains(corpus, domains_of(made, maker.data_root))
        digests, missing = maker.files(made)
        config = {"dataset": options, "data_root": self._root()}
        identity = {**options.to_json(), "files": digests}
        return maker.cell(
            "data", label, identity, config, {}, (module(dataset.spec),),
            reason=dataset.reason or missing, cost=2,
        )  # fmt: skip

    def text(self, encoder: str, split: PlannedSplit, form: str) -> str:
        """Item vectors of a text encoder, or its tokens (`form`), of a split's dataset."""
        use = self.encoder(encoder)
        label = f"text {encoder} {form} of {split.corpus.dataset.name}"
        return self.maker.cell(
            "text", label, {**use.identity, "form": form}, {**use.config, "form": form},
            {"data": split.data}, use.modules, reason=use.reason, cost=60,
        )  # fmt: skip

    def weights(self, encoder: str, model: CompleteOptions, model_module: str) -> str:
        """The encoder's own weights under a model's names."""
        use = self.encoder(encoder)
        return self.maker.cell(
            "weights", f"weights {encoder}", {**use.identity, "model": model},
            {**use.config, "model": model}, {}, (*use.modules, model_module), reason=use.reason,
            cost=5,
        )  # fmt: skip

    def _encoder(self, name: str) -> EncoderUse:
        maker, plugin = self.maker, self.maker.use("encoder", name)
        if plugin.spec is None or plugin.options is None:
            return EncoderUse(plugin, {}, {"encoder": name}, (), plugin.reason)
        digests, missing = maker.files(plugin.options.definition())
        return EncoderUse(
            plugin,
            {"encoder": plugin.options, "data_root": self._root()},
            {**plugin.options.to_json(), "files": digests},
            (module(plugin.spec),),
            plugin.reason or missing,
        )

    def _protocol(self, name: str) -> tuple[PluginUse, Rules | None]:
        """A protocol, and how it splits and ranks, where it is there to say it."""
        plugin = self.maker.use("protocol", name)
        if plugin.options is None:
            return plugin, None
        return plugin, rules_of(plugin.options.definition())

    def split(
        self,
        name: str,
        corpus: Corpus,
        data: str,
        base: PlannedSplit | None = None,
        ranked: bool = True,
        span: tuple[int, int] | None = None,
    ) -> PlannedSplit:
        """The split (shared by protocols that split alike) and, if it is ranked, the candidates.

        `span` are the first and the last phase of a split to train on (`phase_split`).
        """
        protocol, rules = self.protocol(name)
        if protocol.spec is None or protocol.options is None or rules is None:
            return PlannedSplit(protocol, data, "", {}, protocol.reason, corpus)
        domains: dict[str, object] = {
            "domains": list(corpus.domains), "unscored": list(corpus.unscored),
            **({"phases": list(span)} if span else {}),
        }  # fmt: skip
        options = {"target": protocol.options.target, "options": rules.split_options}
        key = self.maker.cell(
            "split",
            f"split {corpus.dataset.name} {'+'.join(corpus.domains)} {name}{_of_phases(span)}",
            {**options, **domains},
            {"protocol": protocol.options, **domains},
            {"data": data},
            (module(protocol.spec),),
        )
        inputs = {"data": data, "split": key}
        if ranked:
            inputs |= self._candidates(rules, corpus, inputs, "test")
        return PlannedSplit(
            protocol, data, key, inputs, None, corpus, rules.mask_history, rules.shuffle_seed,
            base, rules.phases,
        )  # fmt: skip

    def validation(self, name: str, split: PlannedSplit) -> tuple[dict[str, str], bool]:
        """What validating under a protocol takes beside the data and the split cell.

        Returns:
            The stored candidates of the validation targets (an input, where the protocol
            samples), and whether items of the history are masked.
        """
        _, rules = self.protocol(name)
        if rules is None:
            raise HandledError(f"{self.maker.where}: no plugin registers the protocol '{name}'")
        inputs = {"data": split.data, "split": split.key}
        candidates = self._candidates(rules, split.corpus, inputs, "valid")
        return {f"valid_{role}": key for role, key in candidates.items()}, rules.mask_history

    def _candidates(
        self, rules: Rules, corpus: Corpus, inputs: Mapping[str, str], part: str
    ) -> dict[str, str]:
        """The sampled candidates of a part's targets, where the protocol samples."""
        count = rules.candidates
        if count is None:
            return {}
        draw: dict[str, object] = {"count": count, "seed": rules.candidate_seed}
        if rules.cap_candidates:
            draw["capped"] = True
        if part != "test":
            draw["part"] = part
        label = f"candidates {count} {corpus.dataset.name} {'+'.join(corpus.domains)}"
        label += "" if part == "test" else f" {part}"
        return {"candidates": self.maker.cell("candidates", label, draw, draw, inputs)}

    def _root(self) -> str | None:
        return str(self.maker.data_root) if self.maker.data_root else None

    def _check_domains(self, corpus: Corpus, known: tuple[str, ...]) -> None:
        """Unknown domains are errors at once."""
        for domain in (*corpus.domains, *corpus.unscored):
            if domain not in known:
                raise HandledError(
                    f"{self.maker.where}: dataset '{corpus.dataset.name}' has no domain '{domain}'"
                    f"{near(domain, known)}; it has: {', '.join(known)}"
                )


def _of_phases(span: tuple[int, int] | None) -> str:
    """For labels."""
    return "" if span is None else f" phases {span[0]}-{span[1]}"
