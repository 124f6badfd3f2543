"""Suite files: found by name, laid over what they extend, changed, checked against the schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.planning.faults import in_words, there_are
from recmerge_bench.planning.more_rows import MORE_ROWS, check_rows, with_more_rows
from recmerge_bench.planning.names import check_names
from recmerge_bench.planning.suite import (
    BackboneTune,
    BackboneUse,
    Baseline,
    BaseUse,
    GateUse,
    Model,
    PaperUse,
    Row,
    RowChoice,
    Suite,
    Track,
)
from recmerge_bench.planning.tune import TuneSpace, TuneUse
from recmerge_bench.planning.tuning import Tuning
from recmerge_bench.registry import Registry, only_file
from recmerge_bench.yaml_text import Place, near_line, parse_yaml, read_yaml

#: Where each key and entry of a suite stands: ``file:line``, or the change that set it.
Places = dict[Place, str]


def suite_files(registry: Registry) -> dict[str, list[Path]]:
    """All suite files by name, from the folders and files that plugins name.

    A name with more than one file is contested: it names none of them.
    """
    paths_by_name: dict[str, list[Path]] = {}
    for path in dict.fromkeys(p.resolve() for p in registry.suite_paths):
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            if file not in paths_by_name.setdefault(file.stem, []):
                paths_by_name[file.stem].append(file)
    return paths_by_name


def load_suite(
    given: str | Mapping[str, Any],
    registry: Registry,
    changes: Iterable[str] = (),
    seeds: list[int] | None = None,
) -> Suite:
    """Read a suite by name or file, or take its keys, with ``key=value`` changes laid over it.

    `seeds` replaces the suite's and every track's. Files that given keys extend are sought from
    the working folder.

    Raises:
        HandledError: no such suite, not YAML, an unknown key, a value of a wrong type.
    """
    places: Places = {}
    if isinstance(given, str):
        name, raw = given, _read(given, registry, (), places)
    else:
        name = str(given.get("name", ""))
        check_rows(dict(given), set(), {})
        raw = _over_parents(dict(given), Path(name or "suite"), registry, (), places)
    _changed(raw, changes, places)
    raw = with_more_rows(raw, places)
    if seeds is not None:
        raw["seeds"] = seeds
        places[("seeds",)] = "--seeds"
        tracks = raw.get("tracks")
        for track in tracks.values() if isinstance(tracks, dict) else ():
            if isinstance(track, dict):
                track.pop("seeds", None)
    suite = _validate(raw, name, places)
    check_names(suite, _where(suite.name, places))
    return suite


def _where(name: str, places: Places) -> Callable[[Place], str]:
    """What an error about a place of a suite begins with."""

    def where(place: Place) -> str:
        file = near_line(places, place)
        track = f", track '{place[1]}'" if len(place) > 1 and place[0] == "tracks" else ""
        return f"{f'{file}: ' if file else ''}suite '{name}'{track}: "

    return where


def _read(name: str, registry: Registry, seen: tuple[str, ...], places: Places) -> dict[str, Any]:
    """A suite's keys over those of the suites that it extends; `places` learns where they stand."""
    if name in seen:
        raise HandledError(f"suites extend one another in a circle: {' -> '.join([*seen, name])}")
    known = suite_files(registry)
    one = only_file(known, name, "the suite")
    path = Path(name) if name.endswith((".yaml", ".yml")) else one
    if path is None or not path.is_file():
        if path is not None:
            raise HandledError(f"no such suite file: {name}")
        raise HandledError(
            f"no suite is named '{name}'{near(name, known)}; there are: {', '.join(sorted(known))}"
        )
    document = read_yaml(path, joined=MORE_ROWS)
    raw = document.value
    if not isinstance(raw, dict):
        raise DataError(f"a suite is a mapping of keys, this is a {type(raw).__name__}", path)
    own = {place: f"{path}:{line}" for place, line in document.lines.items() if place}
    check_rows(raw, document.merged, own)
    whole = _over_parents(raw, path, registry, (*seen, name), places)
    places.update(own)
    return with_more_rows(whole, places)


def _over_parents(
    raw: dict[str, Any], path: Path, registry: Registry, seen: tuple[str, ...], places: Places
) -> dict[str, Any]:
    """A suite's keys over those of the suites that it extends, whose files lie beside `path`."""
    below: dict[str, Any] = {}
    for parent in _parents(raw, path):
        if parent.endswith((".yaml", ".yml")):
            parent = str(path.parent / parent)
        above = _read(parent, registry, seen, places)
        several = not isinstance(raw["extends"], str)
        below = _overlay(below, _with_own_seeds(above) if several else above)
    return _overlay(below, raw)


def _parents(raw: dict[str, Any], path: Path) -> list[str]:
    """What a suite extends.

    Raises:
        DataError: something else than names, or a name twice.
    """
    given = raw.get("extends") or []
    parents = [given] if isinstance(given, str) else given
    if not isinstance(parents, list) or not all(isinstance(p, str) for p in parents):
        raise DataError(f"extends takes names of suites, not {given!r}", path)
    if len(set(parents)) < len(parents):
        raise DataError(f"extends names a suite twice: {', '.join(parents)}", path)
    return parents


def _with_own_seeds(raw: dict[str, Any]) -> dict[str, Any]:
    """Several parents keep their seeds apart: each track takes those of its suite."""
    seeds, tracks = raw.get("seeds"), raw.get("tracks")
    if not isinstance(tracks, dict):
        return raw
    own = {
        name: {"seeds": seeds, **track} if seeds and isinstance(track, dict) else track
        for name, track in tracks.items()
    }
    return {**raw, "tracks": own}


def _overlay(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _overlay(old, value) if both else value  # type: ignore[arg-type]
    return {k: v for k, v in merged.items() if v is not None}


def key_values(changes: Iterable[str]) -> dict[str, Any]:
    """``key=value`` texts as a mapping, values read as YAML.

    Raises:
        HandledError: one is not of that form.
    """
    values: dict[str, Any] = {}
    _changed(values, changes, {})
    return values


def _changed(raw: dict[str, Any], changes: Iterable[str], places: Places) -> None:
    """Lay ``key=value`` texts over a suite.

    Raises:
        HandledError: one is not of that form, or a key is set twice.
    """
    seen: set[str] = set()
    for change in changes:
        key = change.partition("=")[0]
        if key in seen:
            raise HandledError(f"--set {key} is given twice")
        seen.add(key)
        _change(raw, change)
        place = tuple(key.split("."))
        for below in [one for one in places if one[: len(place)] == place]:
            del places[below]  # lines of what the change has replaced
        places[place] = f"--set {key}"


def _change(raw: dict[str, Any], change: str) -> None:
    key, sign, text = change.partition("=")
    if not sign or not key:
        raise HandledError(f"--set takes key=value (such as threads=2), not '{change}'")
    value = parse_yaml(text, f"--set {key}").value
    *path, last = key.split(".")
    place: Any = raw
    for part in path:
        if isinstance(place, dict) and part in place:
            place = place[part]
        elif isinstance(place, dict) and part in ("training", "pretraining", "options", "joint"):
            place = place.setdefault(part, {})
        else:
            raise HandledError(f"--set {key}: {_nothing(raw, place, part)}")
    if not isinstance(place, dict):
        raise HandledError(f"--set {key}: '{path[-1]}' is not a group of keys")
    place[last] = value


def _nothing(raw: dict[str, Any], place: Any, part: str) -> str:
    """Why a path ends at `part`, and what may have been meant."""
    if isinstance(place, list):
        return f"a list has no '{part}': give the list as a whole, or change it in a suite's file"
    tracks = raw.get("tracks")
    if place is raw and isinstance(tracks, dict) and part in tracks:
        return f"'{part}' is a track (did you mean 'tracks.{part}'?)"
    known = [str(key) for key in place] if isinstance(place, dict) else []
    return f"nothing is named '{part}' there{there_are(part, known)}"


def _validate(raw: dict[str, Any], name: str, places: Places) -> Suite:
    try:
        return Suite.model_validate(raw)
    except ValidationError as error:
        faults = error.errors()
        # A key that is missing may be the one that is misspelt.
        first = next((e for e in faults if e["type"] == "extra_forbidden"), faults[0])
        place = ".".join(str(p) for p in first["loc"])
        message = in_words(first)
        if first["type"] == "extra_forbidden":
            message = "unknown key" + near(str(first["loc"][-1]), _fields_at(first["loc"][:-1]))
        file = near_line(places, first["loc"])
        fault = f"suite '{name}': {place}: {message}"
        raise HandledError(f"{file}: {fault}" if file else fault) from None


def _fields_at(location: tuple[Any, ...]) -> list[str]:
    if location and location[-1] == "tuning":
        return list(Tuning.model_fields)
    if location and location[-1] == "tune":
        inner = BackboneTune if "backbones" in location else TuneSpace
        return list((TuneUse if len(location) == 3 else inner).model_fields)
    if len(location) >= 3 and location[2] == "gate":
        return list((GateUse if len(location) == 3 else RowChoice).model_fields)
    if "rows" in location:
        return list(Row.model_fields)
    below: dict[Any, type[Model]] = {"base": BaseUse, "paper": PaperUse, "baseline": Baseline}
    if len(location) == 3 and location[2] in below:
        return list(below[location[2]].model_fields)
    if len(location) >= 3:
        return list(BackboneUse.model_fields)
    return list(Track.model_fields if len(location) == 2 else Suite.model_fields)
