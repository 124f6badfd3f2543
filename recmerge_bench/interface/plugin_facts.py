"""All that is known of a plugin without running it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recmerge_bench.contracts import spec_class
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.bibtex import bibtex
from recmerge_bench.interface.plugin_options import OptionFacts, option_facts
from recmerge_bench.json_values import plain_object
from recmerge_bench.registry import Registry
from recmerge_bench.spec_parts import Check
from recmerge_bench.specs import MethodSpec, ModelSpec, Spec, StrategySpec
from recmerge_bench.toolkit.merging.hybrids import MIXED, mixes_domains

#: What the words for fidelity mean.
FIDELITY: Mapping[str, str] = {
    "code-verified": "compared with the authors' code",
    "paper-equations": "compared with the paper's equations",
    "reconstructed": "put together from what the paper leaves open",
    "own": "a method of its own: no paper's code or equations stand behind it",
}
#: Fields of specs that have a place of their own in `PluginFacts`.
_PLACED = {"name", "target", "summary", "options", "citation", "licence", "requires", "place",
           "fidelity", "checks", "profiles", "tier"}  # fmt: skip


@dataclass(frozen=True)
class PluginFacts:
    """One registered dataset, model, strategy, protocol, metric or executor.

    Attributes:
        kind: see `recmerge_bench.specs.KINDS`.
        name: that suites use.
        summary: one line.
        target: its class.
        file: ``path:line`` of the class; empty where the class cannot be had.
        registered_by: module, distribution and version.
        options: with types, defaults, presets and meanings.
        profiles: further presets of options and trainings by name.
        tier: of a strategy: name, and what it is handed; empty for other kinds.
        fidelity: of a method, and what the word means; empty for other kinds.
        checks: the evidence: against what, by which test, how closely.
        facts: what else its spec says, by field.
        licence: of the code, or of the data.
        requires: distributions that have to be importable.
        citation: one line.
        bibtex: the same as BibTeX entries.
        problem: why its class cannot be had; empty where it can.
    """

    kind: str
    name: str
    summary: str
    target: str
    file: str
    registered_by: str
    options: tuple[OptionFacts, ...]
    profiles: dict[str, dict[str, Any]]
    tier: str
    fidelity: str
    checks: tuple[dict[str, str], ...]
    facts: dict[str, Any]
    licence: str
    requires: tuple[str, ...]
    citation: str
    bibtex: str
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)


def plugin_facts(registry: Registry, name: str) -> list[PluginFacts]:
    """Everything that is registered under a name, or as ``kind:name``.

    Raises:
        HandledError: nothing is; suggests near names.
    """
    claims = registry.claims()
    own = [(s, p) for s, p in claims if name in (s.name, f"{s.kind}:{s.name}")]
    own = own or [(s, p) for s, p in claims if name in (p.name, p.module)]
    if not own:
        raise registry.unknown(name, [spec.name for spec, _ in claims])
    return [_facts(spec, _who(plugin)) for spec, plugin in own]


def _who(plugin: Any) -> str:
    version = f" {plugin.version}" if plugin.version else ""
    return f"{plugin.module} ({plugin.origin}{version})"


def _facts(spec: Spec, who: str) -> PluginFacts:
    options, file, problem = _of_class(spec)
    profiles = spec.profiles if isinstance(spec, ModelSpec) else {}
    fidelity, checks = "", tuple[Check, ...]()
    if isinstance(spec, MethodSpec):
        fidelity, checks = f"{spec.fidelity}: {FIDELITY[spec.fidelity]}", spec.checks
    tier = f"{spec.tier}: {spec.data_tier.handed}" if isinstance(spec, StrategySpec) else ""
    tier += f"; {MIXED}" if mixes_domains(spec) else ""
    return PluginFacts(
        kind=spec.kind,
        name=spec.name,
        summary=spec.summary,
        target=spec.target,
        file=file,
        registered_by=who,
        options=options,
        profiles={n: _profile(p) for n, p in profiles.items()},
        tier=tier,
        fidelity=fidelity,
        checks=tuple(dataclasses.asdict(c) for c in checks),
        facts=_others(spec),
        licence=spec.licence,
        requires=spec.requires,
        citation=spec.citation,
        bibtex=bibtex(spec.citation),
        problem=problem,
    )


def _of_class(spec: Spec) -> tuple[tuple[OptionFacts, ...], str, str]:
    """Options, file and line; or why there are none."""
    try:
        cls = spec_class(spec)
    except HandledError as error:
        return (), "", str(error)
    path, (_, line) = inspect.getsourcefile(cls), inspect.getsourcelines(cls)
    return tuple(option_facts(cls, spec.options)), f"{path}:{line}", ""


def _profile(profile: Any) -> dict[str, Any]:
    return {"options": plain_object(profile.options), "training": plain_object(profile.training)}


def _others(spec: Spec) -> dict[str, Any]:
    """Fields without a place of their own whose value is not their default."""
    facts = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if field.name not in _PLACED and value != field.default:
            facts[field.name] = list(value) if isinstance(value, tuple) else value
    return facts


__all__ = ["FIDELITY", "PluginFacts", "plugin_facts"]
