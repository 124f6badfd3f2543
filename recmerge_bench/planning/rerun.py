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
    found = list(results)
    for field, pattern in _terms(selectors):
        known = list(dict.fromkeys(_text(r["identity"][field]) for r in found))
        found = [r for r in found if fnmatchcase(_text(r["identity"][field]), pattern)]
        if not found:
            there = ", ".join(f"'{k}'" for k in known[:12]) + (" ..." if len(known) > 12 else "")
            raise HandledError(
                f"--row {field}={pattern}: no row is such{near(pattern, known)}; there: {there}"
            )
    rows = {_row(r["identity"]): r["identity"] for r in found}
    if not rows:
        raise HandledError("these records have no rows")
    if len(rows) > 1:
        apart = _told(list(rows.values()))
        raise HandledError(f"{len(rows)} rows are such; choose one by --row KEY=VALUE: {apart}")
    first = found[0]
    if not first.get("configuration"):
        raise HandledError(
            f"the configuration of '{first['identity']['method']}' is not recorded (the records "
            "were made before schema 3): it cannot be run again from them; its suite's file may "
            "tell, run that"
        )
    return found


def suite_of(records: Mapping[str, Any], row: Sequence[Entry]) -> dict[str, Any]:
    """A suite, as YAML has it, whose plan holds these rank cells.

    Args:
        records: what the row is of.
        row: its seeds, as `matching` gives them.
    """
    first, header = row[0], records["header"]
    identity, told = first["identity"], first["configuration"]
    about = header["tracks"][identity["track"]]
    seeds = [r["identity"]["seed"] for r in row if r["identity"]["seed"] is not None]
    name = re.sub(r"[^a-z0-9]+", "-", str(records["suite"]).lower()).strip("-")
    track: dict[str, Any] = {
        "dataset": told["dataset"]["name"],
        "dataset_options": told["dataset"]["options"],
        "domains": told["domains"],
        "experts": told["experts"],
        "source": told["source"],
        "protocols": [told["protocol"]["name"]],
        "profile": told["profile"],
        **({"isolated": True} if about.get("isolated") else {}),
        **_models(told),
        "rows": [_line(identity, told)],
    }
    return {
        "name": f"rerun-{name}-{first['configuration_sha256'][:8]}",
        "title": f"{identity['method']} of {records['suite']}, {identity['track']}, again",
        "label": header["label"],
        "seeds": seeds or [0],
        "threads": told["threads"],
        "metrics": header["metrics"],
        **({"groups": header["groups"]} if header.get("groups") else {}),
        "tracks": {identity["track"]: {k: v for k, v in track.items() if v not in ([], {}, "")}},
    }


def text_of(suite: Mapping[str, Any], comments: Sequence[str]) -> str:
    """The suite's YAML, which any reader takes alike."""
    said = "".join(f"# {line}\n" for text in comments for line in text.splitlines())
    return said + yaml.dump(
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


def _models(told: Entry) -> dict[str, Any]:
    """The track's part of what is trained: every option is given, so that no default matters."""
    training, found = told["training"], dict[str, Any]()
    if told["backbone"]:
        use: dict[str, Any] = {"options": told["backbone"]["options"]}
        if training.get("merge"):
            use["training"] = training["merge"]
        tuned = told["tuning"]["backbone"]
        use |= {"tuning": _budget(tuned)} if tuned else {}
        found["backbones"] = {told["backbone"]["name"]: use}
    base = told["base"]
    if base:
        found["base"] = {
            "dataset": base["dataset"]["name"],
            "dataset_options": base["dataset"]["options"],
            "domains": base["domains"],
            "options": base["options"],
            "training": training["base"] or {},
        }
    elif training["base"]:
        found["pretraining"] = training["base"]
    if training["experts"]:
        found["domain_training"] = training["experts"]
    if training["joint"]:
        found["joint"] = training["joint"]
    return found


def _line(identity: Entry, told: Entry) -> dict[str, Any]:
    """The row."""
    found: dict[str, Any] = {
        "method": told["method"]["name"],
        "options": told["method"]["options"],
        "recipe": identity["recipe"],
        "variant": identity["variant"],
    }
    found |= {"training": told["training"]["own"]} if told["training"]["own"] else {}
    tuned = told["tuning"]["row"]
    return found | ({"tuning": _budget(tuned)} if tuned else {})


def _budget(told: Entry) -> Any:
    if told["data"] == "none":
        return {"tried": told["tried"]} if told["tried"] else "none"
    return {k: told[k] for k in ("tried", "data", "dataset", "domains", "times")}


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


def _told(rows: Sequence[Entry]) -> str:
    """What tells rows apart, the first few."""
    apart = [f for f in RESULT_FIELDS if f != "seed" and len({_text(r[f]) for r in rows}) > 1]
    said = [", ".join(f"{f}={_text(r[f])}" for f in apart) for r in rows]
    return "; ".join(said[:8]) + ("; ..." if len(said) > 8 else "")


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
