"""A row of records -> the suite that makes it again, from its configuration alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import yaml

from recmerge_bench.errors import HandledError, near
from recmerge_bench.planning.select import RESULT_FIELDS

Entry = Mapping[str, Any]

_PLAIN = re.compile(r"[A-Za-z][\w-]*")
#: Words that some YAML reader takes for something else than text.
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_TERMS = re.compile(rf",(?=(?:{'|'.join(RESULT_FIELDS)})=)")


def matching(results: Sequence[Entry], selectors: Sequence[str]) -> list[Entry]:
    """The seeds of the one row that all selectors hold of.

    Args:
        results: of records.
        selectors: ``KEY=VALUE`` of an identity, several joined by commas; ``*`` is a wildcard.

    Raises:
        HandledError: none is such a row, or several are, or its configuration is not recorded.
    """
    matches = list(results)
    for field, pattern in _terms(selectors):
        known = list(dict.fromkeys(_text(r["identity"][field]) for r in matches))
        matches = [r for r in matches if fnmatchcase(_text(r["identity"][field]), pattern)]
        if not matches:
            there = ", ".join(f"'{k}'" for k in known[:12]) + (" ..." if len(known) > 12 else "")
            raise HandledError(
                f"--row {field}={pattern}: no row is such{near(pattern, known)}; there: {there}"
            )
    rows = {_row(r["identity"]): r["identity"] for r in matches}
    if not rows:
        raise HandledError("these records have no rows")
    if len(rows) > 1:
        apart = _named_apart(list(rows.values()))
        raise HandledError(f"{len(rows)} rows are such; choose one by --row KEY=VALUE: {apart}")
    first = matches[0]
    if not first.get("configuration"):
        raise HandledError(
            f"the configuration of '{first['identity']['method']}' is not recorded (the records "
            "were made before schema 3): it cannot be run again from them; its suite's file may "
            "tell, run that"
        )
    return matches


def suite_of(records: Mapping[str, Any], row: Sequence[Entry]) -> dict[str, Any]:
    """A suite, as YAML has it, whose plan holds these rank cells.

    Args:
        records: what the row is of.
        row: its seeds, as `matching` gives them.
    """
    first, header = row[0], records["header"]
    identity, configuration = first["identity"], first["configuration"]
    track_header = header["tracks"][identity["track"]]
    seeds = [r["identity"]["seed"] for r in row if r["identity"]["seed"] is not None]
    name = re.sub(r"[^a-z0-9]+", "-", str(records["suite"]).lower()).strip("-")
    track: dict[str, Any] = {
        "dataset": configuration["dataset"]["name"],
        "dataset_options": configuration["dataset"]["options"],
        "domains": configuration["domains"],
        "experts": configuration["experts"],
        "source": configuration["source"],
        "protocols": [configuration["protocol"]["name"]],
        "profile": configuration["profile"],
        **({"isolated": True} if track_header.get("isolated") else {}),
        **_models(configuration),
        "rows": [_line(identity, configuration)],
    }
    return {
        "name": f"rerun-{name}-{first['configuration_sha256'][:8]}",
        "title": f"{identity['method']} of {records['suite']}, {identity['track']}, again",
        "label": header["label"],
        "seeds": seeds or [0],
        "threads": configuration["threads"],
        "metrics": header["metrics"],
        **({"groups": header["groups"]} if header.get("groups") else {}),
        "tracks": {identity["track"]: {k: v for k, v in track.items() if v not in ([], {}, "")}},
    }


def text_of(suite: Mapping[str, Any], comments: Sequence[str]) -> str:
    """The suite's YAML, which any reader takes alike."""
    header = "".join(f"# {line}\n" for text in comments for line in text.splitlines())
    return header + yaml.dump(
        suite, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=None,
    )  # fmt: skip


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Where two configurations differ, as ``place: this, that``."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(one.get(key), other.get(key), inner)
    elif one != other:
        yield f"{place}: {_short(one)}, {_short(other)}"


def _models(configuration: Entry) -> dict[str, Any]:
    """The track's part of what is trained: every option is given, so that no default matters."""
    training, fields = configuration["training"], dict[str, Any]()
    if configuration["backbone"]:
        use: dict[str, Any] = {"options": configuration["backbone"]["options"]}
        if training.get("merge"):
            use["training"] = training["merge"]
        tuned = configuration["tuning"]["backbone"]
        use |= {"tuning": _budget(tuned)} if tuned else {}
        fields["backbones"] = {configuration["backbone"]["name"]: use}
    base = configuration["base"]
    if base:
        fields["base"] = {
            "dataset": base["dataset"]["name"],
            "dataset_options": base["dataset"]["options"],
            "domains": base["domains"],
            "options": base["options"],
            "training": training["base"] or {},
        }
    elif training["base"]:
        fields["pretraining"] = training["base"]
    if training["experts"]:
        fields["domain_training"] = training["experts"]
    if training["joint"]:
        fields["joint"] = training["joint"]
    return fields


def _line(identity: Entry, configuration: Entry) -> dict[str, Any]:
    """The row."""
    fields: dict[str, Any] = {
        "method": configuration["method"]["name"],
        "options": configuration["method"]["options"],
        "recipe": identity["recipe"],
        "variant": identity["variant"],
    }
    fields |= (
        {"training": configuration["training"]["own"]} if configuration["training"]["own"] else {}
    )
    tuned = configuration["tuning"]["row"]
    return fields | ({"tuning": _budget(tuned)} if tuned else {})


def _budget(budget: Entry) -> Any:
    if budget["data"] == "none":
        return {"tried": budget["tried"]} if budget["tried"] else "none"
    return {k: budget[k] for k in ("tried", "data", "dataset", "domains", "times")}


def _terms(selectors: Sequence[str]) -> Iterator[tuple[str, str]]:
    for text in selectors:
        for term in _TERMS.split(text):
            field, sign, pattern = (part.strip() for part in term.partition("="))
            if not sign or field not in RESULT_FIELDS:
                raise HandledError(
                    f"--row takes KEY=VALUE with one of {', '.join(RESULT_FIELDS)}, not '{term}'"
                    f"{near(field, RESULT_FIELDS)}"
                )
            yield field, pattern


def _row(identity: Entry) -> tuple[str, ...]:
    return tuple(_text(v) for k, v in sorted(identity.items()) if k != "seed")


def _named_apart(rows: Sequence[Entry]) -> str:
    """What tells rows apart, the first few."""
    apart = [f for f in RESULT_FIELDS if f != "seed" and len({_text(r[f]) for r in rows}) > 1]
    names = [", ".join(f"{f}={_text(r[f])}" for f in apart) for r in rows]
    return "; ".join(names[:8]) + ("; ..." if len(names) > 8 else "")


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class _Dumper(yaml.SafeDumper):
    """Text in quotes wherever a reader might take it for something else; no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written where it stands."""
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _quoted)
