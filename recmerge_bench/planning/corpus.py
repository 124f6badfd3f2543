"""Cells of a dataset under a protocol: events, item vectors, the split, the candidates."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recmerge_bench.borders.datasets import domains_of
from recmerge_bench.borders.splits import Rules, rules_of
from recmerge_bench.contracts import definition
from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.maker import CellMaker, Reason, module
from recmerge_bench.planning.options import complete
from recmerge_bench.planning.suite import Track


@dataclass(frozen=True)
class Corpus:
    """A dataset and which of its domains are used.

    Attributes:
        dataset: by name.
        options: of the dataset.
        domains: scored (or, for a base's corpus, trained on).
        unscored: further domains to split alike.
    """

    dataset: str
    options: Mapping[str, Any]
    domains: tuple[str, ...]
    unscored: tuple[str, ...] = ()

    @classmethod
    def of(cls, track: Track) -> Corpus:
        """The track's own."""
        known = (*track.domains, *track.source)
        others = tuple(d for d in track.experts if d not in known)
        return cls(track.dataset, track.dataset_options, track.domains, (*track.source, *others))

    @classmethod
    def base_of(cls, track: Track) -> Corpus | None:
        """The one that the track's base is trained on, where it is another."""
        if track.base is None:
            return None
        return cls(track.base.dataset, track.base.dataset_options, track.base.domains)


@dataclass(frozen=True)
class PlannedSplit:
    """A corpus under a protocol: what trainings and rank cells take as inputs.

    Attributes:
        name: the protocol's.
        data: key of the data cell.
        key: of the split cell.
        inputs: of rank cells: data, split and, where sampled, candidates.
        reason: why there is no such split here, and the remedy.
        corpus: what was split.
        mask_history: whether the history is taken out of the ranking.
        shuffle_seed: of the random order in which test histories are read; None: the true one.
        base: the split that the shared base is trained on, where its dataset is another.
    """

    name: str
    data: str
    key: str
    inputs: Mapping[str, str]
    reason: Reason
    corpus: Corpus
    mask_history: bool = False
    shuffle_seed: int | None = None
    base: PlannedSplit | None = field(default=None)


class CorpusPlanner:
    """Adds these cells to the plan."""

    def __init__(self, maker: CellMaker) -> None:
        self.maker = maker
        self.encoder = functools.cache(self._encoder)

    def data(self, corpus: Corpus) -> str:
        """The dataset, keyed by its raw files' content."""
        maker = self.maker
        spec, reason = maker.find(("dataset",), corpus.dataset)
        label = f"data {corpus.dataset}"
        if spec is None:
            absent = {"dataset": corpus.dataset, "options": dict(corpus.options)}
            return maker.cell("data", label, absent, {}, {}, reason=reason)
        options = complete(spec, corpus.options, maker.where)
        made = definition(spec, options)
        self._check_domains(corpus, domains_of(made, maker.data_root))
        digests, missing = maker.files(made)
        reason = reason or missing
        config = {"dataset": {"target": spec.target, "options": options}, "data_root": self._root()}
        identity = {"target": spec.target, "options": options, "files": digests}
        return maker.cell(
            "data", label, identity, config, {}, (module(spec),), reason=reason, cost=2
        )

    def text(self, encoder: str, split: PlannedSplit, form: str) -> str:
        """Item vectors of a text encoder, or its tokens (`form`), of a split's dataset."""
        described, identity, modules, reason = self.encoder(encoder)
        label = f"text {encoder} {form} of {split.corpus.dataset}"
        return self.maker.cell(
            "text", label, {**identity, "form": form}, {**described, "form": form},
            {"data": split.data}, modules, reason=reason, cost=60,
        )  # fmt: skip

    def weights(
        self, encoder: str, model: Mapping[str, Any], model_modules: tuple[str, ...]
    ) -> str:
        """The encoder's own weights under a model's names."""
        described, identity, modules, reason = self.encoder(encoder)
        return self.maker.cell(
            "weights", f"weights {encoder}", {**identity, "model": model},
            {**described, "model": model}, {}, (*modules, *model_modules), reason=reason, cost=5,
        )  # fmt: skip

    def _encoder(self, name: str) -> tuple[dict[str, Any], dict[str, Any], tuple[str, ...], Reason]:
        """What a worker is told of an encoder, its identity, its modules, why it is absent."""
        maker = self.maker
        spec, reason = maker.find(("encoder",), name)
        if spec is None:
            return {}, {"encoder": name}, (), reason
        options = complete(spec, {}, maker.where)
        digests, missing = maker.files(definition(spec, options))
        described = {"encoder": {"target": spec.target, "options": options}}
        identity = {"target": spec.target, "options": options, "files": digests}
        return (
            {**described, "data_root": self._root()},
            identity,
            (module(spec),),
            reason or missing,
        )

    def split(
        self,
        name: str,
        corpus: Corpus,
        data: str,
        base: PlannedSplit | None = None,
        ranked: bool = True,
    ) -> PlannedSplit:
        """The split (shared by protocols that split alike) and, if it is ranked, the candidates."""
        maker = self.maker
        spec, reason = maker.find(("protocol",), name)
        if spec is None:
            return PlannedSplit(name, data, "", {}, reason, corpus)
        options = complete(spec, {}, maker.where)
        rules = rules_of(definition(spec, options))
        described = {"target": spec.target, "options": options}
        domains = {"domains": list(corpus.domains), "unscored": list(corpus.unscored)}
        key = maker.cell(
            "split",
            f"split {corpus.dataset} {'+'.join(corpus.domains)} {name}",
            {"target": spec.target, "options": rules.split_options, **domains},
            {"protocol": described, **domains},
            {"data": data},
            (module(spec),),
        )
        inputs = {"data": data, "split": key}
        if ranked:
            inputs |= self._candidates(rules, corpus, inputs, "test")
        return PlannedSplit(
            name, data, key, inputs, None, corpus, rules.mask_history, rules.shuffle_seed, base
        )  # fmt: skip

    def validation(self, name: str, split: PlannedSplit) -> tuple[dict[str, str], bool]:
        """What validating under a protocol takes beside the data and the split cell.

        Returns:
            The stored candidates of the validation targets (an input, where the protocol
            samples), and whether items of the history are masked.
        """
        spec = self.maker.registry.get("protocol", name)
        rules = rules_of(definition(spec, complete(spec, {}, self.maker.where)))
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
        draw: dict[str, Any] = {"count": count, "seed": rules.candidate_seed}
        if rules.cap_candidates:
            draw["capped"] = True
        if part != "test":
            draw["part"] = part
        label = f"candidates {count} {corpus.dataset} {'+'.join(corpus.domains)}"
        label += "" if part == "test" else f" {part}"
        return {"candidates": self.maker.cell("candidates", label, draw, draw, inputs)}

    def _root(self) -> str | None:
        return str(self.maker.data_root) if self.maker.data_root else None

    def _check_domains(self, corpus: Corpus, known: tuple[str, ...]) -> None:
        """Unknown domains are errors at once."""
        for domain in (*corpus.domains, *corpus.unscored):
            if domain not in known:
                raise HandledError(
                    f"{self.maker.where}: dataset '{corpus.dataset}' has no domain '{domain}'"
                    f"{near(domain, known)}; it has: {', '.join(known)}"
                )
