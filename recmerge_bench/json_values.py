"""Values as JSON has them: what crosses a border between processes, and what keys are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


def plain(value: object) -> JsonValue:
    """The value as new plain JSON values; typed values in it as their `to_json` has them.

    Raises:
        TypeError: something in it has no form as JSON.
    """
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return plain_object(value if isinstance(value, Mapping) else _json_of(value))


def plain_object(values: Mapping[str, object]) -> JsonObject:
    """`plain` of a mapping."""
    return {key: plain(value) for key, value in values.items()}


def canonical(value: object) -> str:
    """JSON with sorted keys: equal values give equal text whatever the order they came in.

    Typed values in it stand as their `to_json` has them.

    Raises:
        TypeError: something in it has no form as JSON.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_json_of
    )


def differences(one: object, other: object, place: str = "") -> Iterator[str]:
    """Where two JSON values differ, as ``place: this, that``."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(one.get(key), other.get(key), inner)
    elif one != other:
        yield f"{place}: {_short(one)}, {_short(other)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _json_of(value: object) -> Mapping[str, object]:
    to_json = getattr(value, "to_json", None)
    if to_json is None:
        raise TypeError(f"{value!r} has no form as JSON")
    own: Mapping[str, object] = to_json()
    return own
