"""What many results of a file have in common, written once: configurations and their parts.

In ``<suite>.json`` of schema 4 a result names its configuration by its SHA-256::

    "configurations": {"e81b...": {"method": "5f0c...", "training": "91aa...", "recipe": "paper"}},
    "parts": {"method": {"5f0c...": {"name": "ties", ...}}, "training": {"91aa...": {...}}},
    "results": [{"configuration_sha256": "e81b...", "plugins": "07d4...", ...}]

``configurations`` are whole but for fields that are objects: these stand in ``parts`` below the
field's name, each once, by the first 16 digits of the SHA-256 of its canonical JSON. A field of
`SHARED` in a result stands there likewise. `spread` gives the file's content with everything in its
place again, as it stood in schema 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError
from recmerge_bench.json_values import canonical
from recmerge_bench.planning.configuration import Configuration, hash_of
from recmerge_bench.typed import TO_FIX, checked

#: Fields of a result that many results have alike.
SHARED = ("libraries", "plugins")
_MADE, _SHA = "configuration", "configuration_sha256"
_DIGITS = 16
#: Characters of JSON that results may have when everything stands in its place.
LARGEST = 1 << 28

Parts = dict[str, dict[str, Any]]


def shared(records: Mapping[str, Any]) -> dict[str, Any]:
    """Plain JSON of records as a file has it: each configuration and each of its parts once.

    Args:
        records: `Records.to_json`; it is not changed.
    """
    made = _configurations(records["results"])
    fields = _fields_of_objects(made.values())
    parts: Parts = {}
    results = [_short(result, made, parts) for result in records["results"]]
    configurations = {
        sha: {k: _part(parts, k, v) if k in fields else v for k, v in one.items()}
        for sha, one in made.items()
    }
    if not configurations and not parts:
        return {**records, "results": results}
    return {**records, "results": results, "configurations": configurations, "parts": parts}


def _configurations(results: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """SHA-256 -> configuration, of results whose configuration is recorded."""
    return {r[_SHA]: r[_MADE] for r in results if r.get(_MADE) is not None}


def _fields_of_objects(made: Iterable[Mapping[str, Any]]) -> set[str]:
    """Fields that are objects somewhere and text nowhere: text in them names a part."""
    objects, texts = set(), set()
    for one in made:
        objects |= {k for k, v in one.items() if isinstance(v, Mapping)}
        texts |= {k for k, v in one.items() if isinstance(v, str)}
    return objects - texts


def _short(
    result: Mapping[str, Any], made: Mapping[str, Mapping[str, Any]], parts: Parts
) -> dict[str, Any]:
    """A result without what stands elsewhere in the file."""
    short = {k: _part(parts, k, v) if k in SHARED else v for k, v in result.items()}
    # One that is not what its hash says stays where the reader will see it.
    if result.get(_MADE) is not None and result[_MADE] == made[result[_SHA]]:
        del short[_MADE]
    return short


def _part(parts: Parts, field: str, value: Any) -> Any:
    """The name of an object among the parts; anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    name = hash_of(value)[:_DIGITS]
    parts.setdefault(field, {})[name] = value
    return name


def spread(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What `shared` wrote, with each result's own configuration: results share the object.

    Raises:
        DataError: something is named that is not there, is there and nowhere named, or is so large
            and so often named that the whole would be beyond `LARGEST`.
    """
    if not {"configurations", "parts"} & raw.keys():
        return dict(raw)
    parts = _Parts(raw.get("parts", {}), path)
    made = {
        sha: _configuration(one, f"configurations.{sha}", parts, path)
        for sha, one in _object(raw.get("configurations", {}), "configurations", path).items()
    }
    rest = {k: v for k, v in raw.items() if k not in ("configurations", "parts")}
    if isinstance(raw.get("results"), list):
        rest["results"] = _in_place(raw["results"], made, parts)
    parts.check_used()
    return rest


def _in_place(results: list[Any], made: Mapping[str, Configuration], parts: _Parts) -> list[Any]:
    """Results with all that is their own."""
    whole, named, size = [], set(), 0
    sizes = {sha: len(canonical(one)) for sha, one in made.items()}
    for number, short in enumerate(results):
        if not isinstance(short, Mapping):
            whole.append(short)
            continue
        result = _long(short, f"results.{number}", made, parts)
        whole.append(result)
        if _MADE in result and _MADE not in short:
            named.add(result[_SHA])
            size += sizes[result[_SHA]]
        size += sum(parts.size(k, short[k]) for k in SHARED if k in short)
        if size > LARGEST:
            raise DataError(f"results.{number}: its parts are named too often", parts.path)
    if unused := sorted(made.keys() - named):
        raise DataError(f"configurations.{unused[0]} is no result's; {TO_FIX}", parts.path)
    return whole


def _configuration(one: Any, where: str, parts: _Parts, path: Path) -> Configuration:
    fields = {k: parts.value(k, v, where) for k, v in _object(one, where, path).items()}
    return checked(Configuration, fields, path, f"no records of a suite: {where}")


def _long(
    result: Mapping[str, Any], where: str, made: Mapping[str, Configuration], parts: _Parts
) -> dict[str, Any]:
    """A result with all that is its own."""
    whole = dict(result)
    for field in SHARED:
        if field in whole:
            whole[field] = parts.value(field, whole[field], where)
    sha = result.get(_SHA)
    if sha and _MADE not in result:
        if not isinstance(sha, str) or sha not in made:
            raise DataError(f"{where}: there is no such configuration; {TO_FIX}", parts.path)
        whole[_MADE] = made[sha]
    return whole


def _object(value: Any, where: str, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DataError(f"no records of a suite: {where} is no JSON object; {TO_FIX}", path)
    return value


class _Parts:
    """The parts of a file, and which of them were asked for.

    Raises:
        DataError: they are no objects of objects.
    """

    def __init__(self, raw: Any, path: Path) -> None:
        self.path = path
        self._parts = {
            field: _object(some, f"parts.{field}", path)
            for field, some in _object(raw, "parts", path).items()
        }
        self._sizes: dict[tuple[str, str], int] = {}

    def value(self, field: str, value: Any, where: str) -> Any:
        """The part that a text names, where the field has parts; else the value itself.

        Raises:
            DataError: there is no such part, or it is not what its name says.
        """
        if field not in self._parts or not isinstance(value, str):
            return value
        part = self._parts[field].get(value)
        if part is None:
            raise DataError(f"{where}: no part of {field} is called that; {TO_FIX}", self.path)
        if (field, value) not in self._sizes:
            if hash_of(part)[:_DIGITS] != value:
                raise DataError(f"parts.{field}.{value} is not what its name says; {TO_FIX}",
                                self.path)  # fmt: skip
            self._sizes[field, value] = len(canonical(part))
        return part

    def size(self, field: str, value: Any) -> int:
        """Characters of the part that a text named; 0 where it named none."""
        return self._sizes.get((field, value), 0) if isinstance(value, str) else 0

    def check_used(self) -> None:
        """Every part is named somewhere.

        Raises:
            DataError: one is not.
        """
        for field, some in self._parts.items():
            for name in some:
                if (field, name) not in self._sizes:
                    raise DataError(f"parts.{field}.{name} is nobody's; {TO_FIX}", self.path)
