"""What the plugins that come with the package say of a method or dataset.

Strangers' plugins are left out, installed or not: the site depends on what is committed alone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from recmerge_bench.docstrings import attributes
from recmerge_bench.registry import DISTRIBUTION, Registry
from recmerge_bench.report.site.ideas import equations, idea
from recmerge_bench.specs import CDSRSpec, CountingSpec, MethodSpec, ModelSpec, Spec, StrategySpec
from recmerge_bench.targets import load_class
from recmerge_bench.toolkit.merging.hybrids import MIXED, mixes_domains

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
        idea: in three sentences or so; empty for datasets.
        citation: source, one line; may be empty.
        links: (name, address) of each DOI and arXiv paper that the citation names.
        bibtex: an entry that holds the citation; empty without one.
        code: file of the plugin within the repository; empty where it is not known.
        licence: of the code, or of a dataset's data.
        facts: (name, what is said), in order.
        options: with defaults.
        profiles: name -> settings, as text.
    """

    kind: str
    summary: str
    idea: str
    citation: str
    links: tuple[tuple[str, str], ...]
    bibtex: str
    code: str
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
    return Card(
        called, spec.summary, idea(spec) if isinstance(spec, MethodSpec) else "",
        spec.citation, links(spec.citation),
        bibtex(spec.name, spec.citation), _code(spec), spec.licence, facts, _options(spec),
        profiles,
    )  # fmt: skip


#: An arXiv number, or a DOI, within a citation.
_SOURCE = re.compile(r"arXiv[: ]+(?P<arxiv>\d{4}\.\d{4,5})|(?P<doi>10\.\d{4,9}/[^\s;,)]+)")


def links(citation: str) -> tuple[tuple[str, str], ...]:
    """Name and address of every paper that a citation gives the number of, in order."""
    found = []
    for match in _SOURCE.finditer(citation):
        if match["arxiv"]:
            found.append((f"arXiv {match['arxiv']}", f"https://arxiv.org/abs/{match['arxiv']}"))
        else:
            doi = match["doi"].rstrip(".")
            found.append((f"doi:{doi}", f"https://doi.org/{doi}"))
    return tuple(dict.fromkeys(found))


def bibtex(name: str, citation: str) -> str:
    """An entry for a citation of one line; the parts that it names are fields of their own."""
    if not citation:
        return ""
    year = re.search(r"\b(?:19|20)\d\d\b", citation)
    first = next(_SOURCE.finditer(citation), None)
    fields = [("note", re.sub(r"[{}\\]", "", citation).replace("&", r"\&"))]
    fields += [("year", year[0])] if year else []
    fields += [("eprint", first["arxiv"]), ("archivePrefix", "arXiv")] if first and first[1] else []
    fields += [("doi", first["doi"].rstrip("."))] if first and first["doi"] else []
    lines = ",\n".join(f"  {key} = {{{value}}}" for key, value in fields)
    return f"@misc{{{re.sub('[^A-Za-z0-9-]', '', name)},\n{lines}\n}}"


def _code(spec: Spec) -> str:
    """The plugin's file in the repository, where the package's own plugins are ``plugins/``."""
    module, _, _ = spec.target.partition(":")
    package, _, rest = module.partition(".")
    if package != "recmerge_bench_plugins" or not rest:
        return ""
    path = f"plugins/{rest.replace('.', '/')}"
    found = find_spec(module)
    folder = found is not None and found.submodule_search_locations is not None
    return f"{path}/__init__.py" if folder else f"{path}.py"


def _facts(spec: Spec) -> tuple[tuple[str, str], ...]:
    facts = []
    if isinstance(spec, MethodSpec):
        facts.append(("Fidelity", f"{spec.fidelity}: {FIDELITY[spec.fidelity]}"))
        facts += [("Equations, and how they are checked", str(check)) for check in spec.checks]
        if written := equations(spec):
            facts.append(("Equations", written))
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
    if mixes_domains(spec):
        facts.append(("Merges", f"once for each domain; {MIXED}"))
        return [*facts, ("Takes", "base, the domain's expert, a hybrid with each other domain")]
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
