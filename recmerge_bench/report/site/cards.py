"""What the plugins that come with the package say of a method or dataset.

Strangers' plugins are left out, installed or not: the site depends on what is committed alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from recmerge_bench.docstrings import attributes
from recmerge_bench.registry import DISTRIBUTION, Registry
from recmerge_bench.specs import CDSRSpec, CountingSpec, MethodSpec, ModelSpec, Spec, StrategySpec
from recmerge_bench.targets import load_class

#: Kinds that have pages, and how a page calls them.
METHODS = {
    "backbone": "single-domain backbone",
    "cdsr": "cross-domain model",
    "counting": "counting recommender",
    "strategy": "merge strategy",
}
FIDELITY = {
    "code-verified": "checked against the authors' released code",
    "paper-equations": "implemented from the paper's equations",
    "reconstructed": "reconstructed where the paper leaves details open and no code is released",
    "own": "this project's own",
}


@dataclass(frozen=True)
class Option:
    """An option of a definition.

    Attributes:
        name: of it.
        value: its default, as text.
        preset: whether the card sets it, over the definition's default.
        meaning: what it does, one line.
    """

    name: str
    value: str
    preset: bool
    meaning: str


@dataclass(frozen=True)
class Card:
    """A spec as a page shows it.

    Attributes:
        kind: how the page calls it.
        summary: one line.
        citation: source, one line; may be empty.
        licence: of the code, or of a dataset's data.
        facts: (name, what is said), in order.
        options: with defaults.
        profiles: name -> settings, as text.
    """

    kind: str
    summary: str
    citation: str
    licence: str
    facts: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    profiles: tuple[tuple[str, str], ...]


def method_cards(registry: Registry) -> dict[str, list[Card]]:
    """Name -> cards of the methods that come with the package; two kinds may share a name."""
    cards: dict[str, list[Card]] = {}
    for kind, called in METHODS.items():
        for spec in _own(registry, kind):
            cards.setdefault(spec.name, []).append(_card(spec, called, _facts(spec)))
    return dict(sorted(cards.items()))


def dataset_cards(registry: Registry) -> dict[str, Card]:
    """Name -> card of the datasets that come with the package."""
    return {spec.name: _card(spec, "dataset", ()) for spec in _own(registry, "dataset")}


def _own(registry: Registry, kind: str) -> list[Spec]:
    specs = [s for s, plugin in registry.claims() if plugin.origin == DISTRIBUTION]
    return sorted((s for s in specs if s.kind == kind), key=lambda s: s.name)


def _card(spec: Spec, called: str, facts: tuple[tuple[str, str], ...]) -> Card:
    given = spec.profiles if isinstance(spec, ModelSpec) else {}
    profiles = tuple(
        (name, _settings({**profile.options, **{f"training.{k}": v
                                                for k, v in profile.training.items()}}))
        for name, profile in sorted(given.items())
    )  # fmt: skip
    return Card(called, spec.summary, spec.citation, spec.licence, facts, _options(spec), profiles)


def _facts(spec: Spec) -> tuple[tuple[str, str], ...]:
    facts = []
    if isinstance(spec, MethodSpec):
        facts.append(("Fidelity", f"{spec.fidelity}: {FIDELITY[spec.fidelity]}"))
        facts += [("Checked against", str(check)) for check in spec.checks]
    if isinstance(spec, StrategySpec):
        facts += _of_strategy(spec)
    if isinstance(spec, CountingSpec):
        facts += _of_counting(spec)
    if isinstance(spec, CDSRSpec) and spec.single_target:
        facts.append(("Predicts in", "one domain: trained once for each"))
    if spec.requires:
        facts.append(("Needs", ", ".join(spec.requires)))
    return tuple(facts)


def _of_strategy(spec: StrategySpec) -> list[tuple[str, str]]:
    facts = [("Data tier", f"{spec.tier}: a merge reads {spec.data_tier.handed}")]
    if spec.passthrough:
        averaged, alone = "its inputs' scores are averaged", "its input is evaluated as it is"
        facts.append(("Merges", f"nothing: {averaged if spec.mean_score else alone}"))
    return [*facts, ("Takes", ", ".join(spec.inputs) or "nothing")]


def _of_counting(spec: CountingSpec) -> list[tuple[str, str]]:
    facts = [("Fitting", "one pass over counts, without gradient training")]
    if spec.deterministic:
        facts.append(("Seeds", "depends on none: one result serves all seeds"))
    return facts


def _options(spec: Spec) -> tuple[Option, ...]:
    options = load_class(spec.target).Options  # type: ignore[attr-defined]
    described: dict[str, str] = {}
    for cls in reversed(options.__mro__):  # options that several methods share
        described |= attributes(cls.__doc__)
    return tuple(
        Option(
            field.name,
            _text(spec.options.get(field.name, _default(field))),
            field.name in spec.options,
            described.get(field.name, ""),
        )
        for field in dataclasses.fields(options)
    )


def _default(field: dataclasses.Field[object]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return "to be given" if field.default is dataclasses.MISSING else field.default


def _settings(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{k}={_text(v)}" for k, v in sorted(settings.items())) or "nothing changes"


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_text(v)}" for k, v in sorted(value.items())) + "}"
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None or value == "" else str(value)
