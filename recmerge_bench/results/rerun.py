"""A row of records -> the suite that makes it again, from its configuration alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from recmerge_bench.errors import HandledError, near
from recmerge_bench.identity import FIELDS, Identity
from recmerge_bench.json_values import JsonValue
from recmerge_bench.planning.configuration import Budget, Configuration, Named
from recmerge_bench.results.records import Records, Result

_PLAIN = re.compile(r"[A-Za-z][\w-]*")
#: Words that some YAML reader takes for something else than text.
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_TERMS = re.compile(rf",(?=(?:{'|'.join(FIELDS)})=)")


@dataclass(frozen=True)
class RecordedRow:
    """The seeds of one row, with what they are made with.

    Attributes:
        results: one for each seed.
        configuration: the same for all of them.
    """

    results: tuple[Result, ...]
    configuration: Configuration

    @property
    def identity(self) -> Identity:
        """Of the first seed."""
        return self.results[0].identity

    @property
    def configuration_sha256(self) -> str:
        """Of the configuration's canonical JSON."""
        return self.results[0].configuration_sha256


def matching(results: Sequence[Result], selectors: Sequence[str]) -> RecordedRow:
    """The one row that all selectors hold of.

    Args:
        results: of records.
        selectors: ``KEY=VALUE`` of an identity, several joined by commas; ``*`` is a wildcard.

    Raises:
        HandledError: none is such a row, or several are, or its configuration is not recorded.
    """
    matches = list(results)
    for field, pattern in _terms(selectors):
        known = list(dict.fromkeys(_text(r.identity, field) for r in matches))
        matches = [r for r in matches if fnmatchcase(_text(r.identity, field), pattern)]
        if not matches:
            there = ", ".join(f"'{k}'" for k in known[:12]) + (" ..." if len(known) > 12 else "")
            raise HandledError(
                f"--row {field}={pattern}: no row is such{near(pattern, known)}; there: {there}"
            )
    rows = {r.identity.seedless: r.identity for r in matches}
    if not rows:
        raise HandledError("these records have no rows")
    if len(rows) > 1:
        apart = _named_apart(list(rows.values()))
        raise HandledError(f"{len(rows)} rows are such; choose one by --row KEY=VALUE: {apart}")
    configuration = matches[0].configuration
    if configuration is None:
        raise HandledError(
            f"the configuration of '{matches[0].identity.method}' is not recorded (the records "
            "were made before schema 3): it cannot be run again from them; its suite's file may "
            "tell, run that"
        )
    return RecordedRow(tuple(matches), configuration)


def suite_of(records: Records, row: RecordedRow) -> dict[str, Any]:
    """A suite, as YAML has it, whose plan holds the rank cells of a row.

    Args:
        records: that hold the row.
        row: of `matching`.
    """
    header, identity, configuration = records.header, row.identity, row.configuration
    seeds = [r.identity.seed for r in row.results if r.identity.seed is not None]
    name = re.sub(r"[^a-z0-9]+", "-", records.suite.lower()).strip("-")
    track: dict[str, Any] = {
        "dataset": configuration.dataset.name,
        "dataset_options": configuration.dataset.options,
        "domains": configuration.domains,
        **_kind(configuration),
        "protocols": [configuration.protocol.name],
        "profile": configuration.profile,
        **({"isolated": True} if header.tracks[identity.track].isolated else {}),
        **_models(configuration),
        "rows": [_line(identity, configuration)],
    }
    return {
        "name": f"rerun-{name}-{row.configuration_sha256[:8]}",
        "title": f"{identity.method} of {records.suite}, {identity.track}, again",
        "label": header.label,
        "seeds": seeds or [0],
        "threads": configuration.threads,
        "metrics": [*header.metrics, *header.names_of_lists],
        **({"executor": _executor(configuration.executor)} if configuration.executor else {}),
        **({"groups": header.groups} if header.groups else {}),
        "tracks": {identity.track: {k: v for k, v in track.items() if v not in ([], {}, "")}},
    }


def text_of(suite: Mapping[str, Any], comments: Sequence[str]) -> str:
    """The suite's YAML, which any reader takes alike."""
    header = "".join(f"# {line}\n" for text in comments for line in text.splitlines())
    return header + yaml.dump(
        suite, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=None,
    )  # fmt: skip


def _kind(configuration: Configuration) -> dict[str, Any]:
    """What is merged: models of domains, or of phases of the one domain."""
    if configuration.phase_models is not None:
        return {"kind": "temporal", "phase_models": configuration.phase_models}
    return {"experts": configuration.experts, "source": configuration.source}


def _models(configuration: Configuration) -> dict[str, Any]:
    """The track's part of what is trained: every option is given, so that no default matters."""
    training, tuned = configuration.training, configuration.tuning.backbone
    fields: dict[str, Any] = {}
    if configuration.backbone:
        use: dict[str, Any] = {"options": configuration.backbone.options}
        if training.merge:
            use["training"] = training.merge
        if configuration.phase_models is not None:
            use["training"] = training.experts[configuration.domains[0]]
        use |= {"tuning": _budget(tuned)} if tuned else {}
        fields["backbones"] = {configuration.backbone.name: use}
    if configuration.base:
        fields["base"] = {
            "dataset": configuration.base.dataset.name,
            "dataset_options": configuration.base.dataset.options,
            "domains": configuration.base.domains,
            "options": configuration.base.options,
            "training": training.base or {},
        }
    elif training.base:
        fields["pretraining"] = training.base
    if training.experts and configuration.phase_models is None:
        fields["domain_training"] = training.experts
    if training.joint:
        fields["joint"] = training.joint
    return fields


def _line(identity: Identity, configuration: Configuration) -> dict[str, Any]:
    """The row."""
    own = configuration.training.own or configuration.training.hybrids
    tuned = configuration.tuning.row
    return {
        "method": configuration.method.name,
        "options": configuration.method.options,
        "recipe": identity.recipe,
        "variant": identity.variant,
        **({"training": own} if own else {}),
        **({"tuning": _budget(tuned)} if tuned else {}),
    }


def _executor(executor: Named) -> dict[str, JsonValue]:
    return {"name": executor.name, "options": executor.options}


def _budget(budget: Budget) -> JsonValue:
    if budget.data == "none":
        return {"tried": budget.tried} if budget.tried else "none"
    return {
        "tried": budget.tried, "data": budget.data, "dataset": budget.dataset,
        "domains": list(budget.domains), "times": budget.times,
        **({"search": budget.search.model_dump(exclude_unset=True)} if budget.search else {}),
    }  # fmt: skip


def _terms(selectors: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in selectors:
        for term in _TERMS.split(text):
            field, sign, pattern = (part.strip() for part in term.partition("="))
            if not sign or field not in FIELDS:
                raise HandledError(
                    f"--row takes KEY=VALUE with one of {', '.join(FIELDS)}, not '{term}'"
                    f"{near(field, FIELDS)}"
                )
            yield field, pattern


def _named_apart(rows: Sequence[Identity]) -> str:
    """What tells rows apart, the first few."""
    apart = [f for f in FIELDS if f != "seed" and len({_text(r, f) for r in rows}) > 1]
    names = [", ".join(f"{f}={_text(r, f)}" for f in apart) for r in rows]
    return "; ".join(names[:8]) + ("; ..." if len(names) > 8 else "")


def _text(identity: Identity, field: str) -> str:
    value = getattr(identity, field)
    return "" if value is None else str(value)


class _Dumper(yaml.SafeDumper):
    """Text in quotes wherever a reader might take it for something else; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written where it stands."""
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _quoted)
