"""JSON in bounds: bytes, number of values, depth, and nothing that JSON does not have."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError

#: Bytes of a file.
SIZE = 32 << 20
#: Values of a file: one takes some 100 bytes in memory, however few it has in the file. The
#: largest records so far have 42,323.
VALUES = 1_000_000
#: Keys of an object, where values are bounded by `VALUES`: each may be an error of its own.
KEYS = 20_000
#: Records have a depth of eight.
DEPTH = 40
LARGEST = 1 << 62


def read_json(
    path: Path, size: int = SIZE, values: int = VALUES, remedy: str = "", numbers: bool = True,
) -> Any:  # fmt: skip
    """JSON without duplicate keys, NaN, infinities and integers beyond 62 bits; shallow.

    Args:
        path: the file.
        size: bytes that it may have.
        values: values that it may have.
        remedy: what to do about a bad file; ends the message.
        numbers: refuse NaN, infinities and integers beyond 62 bits.

    Raises:
        DataError: it is something else, or more; with the line where known.
    """
    try:
        with open(path, "rb") as stream:
            # a read of so many bytes would make room for all of them first
            there = os.fstat(stream.fileno()).st_size
            raw = stream.read(min(size, there) + 1)
        return loads(raw, size, values, numbers)
    except FileNotFoundError:
        raise DataError(f"there is no such file{_end(remedy)}", path) from None
    except (OSError, ValueError) as error:
        line = getattr(error, "lineno", None)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"not readable as JSON ({reason}){_end(remedy)}", path, line) from None


def loads(raw: bytes, size: int = SIZE, values: int = VALUES, numbers: bool = True) -> Any:
    """The same from bytes.

    Raises:
        ValueError: it is no such JSON; `json.JSONDecodeError` where a line is known.
    """
    if len(raw) > size:
        raise ValueError(f"more than {size} bytes")
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > values:
        raise ValueError(f"more than {values} values")
    text = raw.decode("utf-8")
    hooks: dict[str, Any] = {"object_pairs_hook": _few if values <= VALUES else _unique}
    if numbers:
        hooks |= {"parse_constant": _constant, "parse_int": _integer, "parse_float": _float}
    try:
        value = json.loads(text, **hooks)
    except RecursionError:
        raise ValueError(f"nested more than {DEPTH} deep") from None
    _check_depth(value)
    if b"\\ud" in raw or b"\\uD" in raw:
        _check_encodable(value)
    return value


def _check_encodable(value: Any) -> None:
    """Half of a character (a lone surrogate) could not be written again."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a character") from None


def _end(remedy: str) -> str:
    return f"; {remedy}" if remedy else ""


_NESTED = frozenset({dict, list})


def _check_depth(value: Any) -> None:
    level = [value] if type(value) in _NESTED else []
    for _ in range(DEPTH + 1):
        level = [
            inner
            for one in level
            for inner in (one.values() if type(one) is dict else one)
            if type(inner) in _NESTED  # JSON gives these two and no subclass
        ]
        if not level:
            return
    raise ValueError(f"nested more than {DEPTH} deep")


def _few(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > KEYS:
        raise ValueError(f"an object of more than {KEYS} keys")
    return _unique(pairs)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        again = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise ValueError(f"an object has a key twice: {ascii(again)[:60]}")
    return members


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _integer(text: str) -> int:
    if len(text) < 19:  # 18 digits are fewer than `LARGEST`
        return int(text)
    value = int(text) if len(text) < 20 else LARGEST
    if abs(value) >= LARGEST:
        raise ValueError(f"the number {text[:20]}... is too large")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is not finite")
    return value


def check_texts(value: Any, path: Path, refused: Any, longest: int, place: str = "") -> None:
    """Refuse texts and keys that are no plain, printable line or that hold refused marks.

    Args:
        value: of JSON.
        path: of the file, for the message.
        refused: a compiled pattern.
        longest: characters that a text may have.
        place: where `value` stands, for the message.

    Raises:
        DataError: says where.
    """
    for inner, text in _texts(value, place):
        if len(text) > longest or not text.isprintable() or refused.search(text):
            raise DataError(
                f"{inner}: a text is longer than {longest} characters, not printable or holds one "
                "of < > ` ]( ://; put it plainly",
                path,
            )


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Where each text and key of a value stands, and what it says."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            below = ascii(key[:40])[1:-1]
            yield place or below, key
            yield from _texts(inner, f"{place}.{below}" if place else below)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{place}.{number}")
