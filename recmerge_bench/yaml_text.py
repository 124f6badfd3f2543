"""YAML as suite files and ``--set`` values use it: YAML 1.2's plain values, bounded, no key twice.

PyYAML reads YAML 1.1, where ``1e-3`` is text, ``no`` is false and ``1:30`` is ninety; it takes the
last of two equal keys, and follows aliases however often they are multiplied. Here its scanner and
parser are used and the rest is the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2, 10.3),
without tags of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from recmerge_bench.errors import DataError

#: Largest file, deepest nesting, and most values that a file stands for (aliases followed).
BYTES, DEPTH, VALUES = 1 << 20, 40, 100_000
#: Where a value stands: keys and positions from the top.
Place = tuple[str | int, ...]

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|(\.nan|\.NaN|\.NAN)")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
#: Characters that no name, number or sentence of a suite holds: controls, lone surrogates.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Document:
    """What a text holds.

    Attributes:
        value: mappings with text as keys, lists, text, numbers, booleans, None.
        lines: line of each key and list entry, from 1.
        merged: keys that a mapping has from ``<<`` alone.
    """

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)
    merged: set[Place] = field(default_factory=set)


def read_yaml(path: Path, joined: str = "") -> Document:
    """Read a file.

    Args:
        path: of it.
        joined: see `parse_yaml`.

    Raises:
        DataError: it cannot be read, is too large, not UTF-8 or not YAML, or has a key twice; with
            the line.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES + 1)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path) from None
    if len(raw) > BYTES:
        raise DataError(f"larger than {BYTES >> 20} MiB: no file of settings", path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError("not readable as YAML: not UTF-8; save it as UTF-8", path, line) from None
    return parse_yaml(text, path, joined)


def parse_yaml(text: str, where: Path | str, joined: str = "") -> Document:
    """Read a text.

    Args:
        text: of the document; empty: None.
        where: what errors begin with.
        joined: a key whose lists ``<<`` joins: a mapping's own entries come after those that it
            merges in, and do not replace them. None if empty.

    Raises:
        DataError: as `read_yaml`.
    """
    try:
        node = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        raise DataError(f"not readable as YAML: {_problem(error)}", where, _line(error)) from None
    except _Refused as error:
        raise DataError(f"not readable as YAML: {error.message}", where, error.line) from None
    except (ValueError, OverflowError) as error:  # of PyYAML's conversions: \U99999999
        raise DataError(f"not readable as YAML: {str(error)[:100]}", where) from None
    if node is None:
        return Document(None)
    maker = _Maker(joined)
    try:
        return Document(maker.made(node, ()), maker.lines, maker.merged)
    except _Refused as error:
        raise DataError(f"not readable as YAML: {error.message}", where, error.line) from None


class _Refused(Exception):
    """A node that is not taken."""

    def __init__(self, message: str, mark: Any) -> None:
        self.message, self.line = message, mark.line + 1
        super().__init__(message)


#: What `_Loader` gives plain values as their tag.
PLAIN = "plain"


class _Loader(yaml.SafeLoader):
    """PyYAML's parser; plain values stay text, for `_Maker` to read."""

    depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node without one: `PLAIN` for text without quotes."""
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else self.DEFAULT_SCALAR_TAG
        return super().resolve(kind, value, implicit)

    def compose_node(self, parent: Any, index: Any) -> Any:
        """As PyYAML's, no deeper than `DEPTH`."""
        self.depth += 1
        if self.depth > DEPTH:
            raise _Refused(f"nested deeper than {DEPTH} levels", self.peek_event().start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Maker:
    """Values of nodes, aliases followed, and where they stand."""

    def __init__(self, joined: str = "") -> None:
        self.joined = joined
        self.lines: dict[Place, int] = {}
        self.merged: set[Place] = set()
        self.count = 0
        self.open: list[int] = []

    def made(self, node: Any, place: Place) -> Any:
        """The value of a node and of all below it."""
        self.count += 1
        if self.count > VALUES:
            raise _Refused(f"more than {VALUES:,} values (aliases followed)", node.start_mark)
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self.open:
            raise _Refused("an alias stands within what it names", node.start_mark)
        kind = yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG
        if not isinstance(node, yaml.MappingNode):
            kind = yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG
        if node.tag != kind:
            raise _Refused(f"the tag {_short(node.tag)} is not used here", node.start_mark)
        self.open.append(id(node))
        made_value = (
            self._mapping(node, place)
            if isinstance(node, yaml.MappingNode)
            else [self.made(each, (*place, n)) for n, each in enumerate(node.value)]
        )
        self.open.pop()
        return made_value

    def _mapping(self, node: Any, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        merges: list[Any] = []
        seen: dict[str, int] = {}
        for key, value in node.value:
            name = _key(key)
            if name in seen:
                raise _Refused(
                    f"the key '{_short(name)}' stands twice in one mapping (first in line "
                    f"{seen[name]})", key.start_mark,
                )  # fmt: skip
            seen[name] = key.start_mark.line + 1
            if name == "<<" and key.style is None:
                merges.append(value)
                continue
            self.lines[(*place, name)] = key.start_mark.line + 1
            mapping[name] = self.made(value, (*place, name))
        for value in merges:  # after the mapping's own keys: where these stand is what counts
            below, lines = self._merged(value, place)
            self._place(below, mapping, place, lines)
            mapping = {**below, **mapping}
        return mapping

    def _merged(self, node: Any, place: Place) -> tuple[dict[str, Any], dict[Place, int]]:
        """``<<``: a mapping, or several of which the first has precedence; and where it stands."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        own, self.lines, self.merged = (self.lines, self.merged), {}, set()
        mapping: dict[str, Any] = {}
        for part in parts:
            value = self.made(part, place)
            if not isinstance(value, dict):
                raise _Refused("'<<' takes a mapping", part.start_mark)
            mapping = {**value, **mapping}
        lines, (self.lines, self.merged) = self.lines, own
        return mapping, lines

    def _place(
        self, below: dict[str, Any], own: dict[str, Any], place: Place, lines: dict[Place, int]
    ) -> None:
        """Note where merged keys stand; join the list that is joined, own entries moved behind."""
        kept = {name for name in below if name not in own}
        self.merged |= {(*place, name) for name in kept}
        entries, later = below.get(self.joined), own.get(self.joined)
        if isinstance(entries, list) and isinstance(later, list):
            kept.add(self.joined)
            self._move((*place, self.joined), len(entries))
            own[self.joined] = [*entries, *later]
        for where, line in lines.items():
            if len(where) > len(place) and where[len(place)] in kept:
                self.lines.setdefault(where, line)

    def _move(self, place: Place, by: int) -> None:
        """Entries of a list stand further behind than they did."""
        depth = len(place)
        old = {p: n for p, n in self.lines.items() if len(p) > depth and p[:depth] == place}
        for where in old:
            del self.lines[where]
        for where, line in old.items():
            self.lines[(*place, int(where[depth]) + by, *where[depth + 1 :])] = line


def _key(node: Any) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Refused("a key is text, not a list or a mapping", node.start_mark)
    if node.value == "":
        raise _Refused("a key is empty", node.start_mark)
    return _checked(node.value, node)


def _scalar(node: Any) -> Any:
    if node.tag == PLAIN:
        return _plain(node)
    if node.tag != yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG:
        raise _Refused(f"the tag {_short(node.tag)} is not used here", node.start_mark)
    return _checked(node.value, node)


def _plain(node: Any) -> Any:
    text = node.value
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        if len(text) > 20 or not -(1 << 63) <= (value := _whole(text)) < 1 << 63:
            raise _Refused(f"{_short(text)} is too large a whole number", node.start_mark)
        return value
    if _FLOAT.fullmatch(text):
        if not math.isfinite(number := float(text)):
            raise _Refused(f"{_short(text)} is too large a number", node.start_mark)
        return number
    if special := _SPECIAL.fullmatch(text):
        return math.nan if special[3] else float(f"{special[1]}inf")
    return _checked(text, node)


def _whole(text: str) -> int:
    return int(text[2:], {"o": 8, "x": 16}[text[1]]) if text[:2] in ("0o", "0x") else int(text)


def _checked(text: str, node: Any) -> str:
    odd = _ODD.search(text)
    if odd:
        raise _Refused(f"text with the character U+{ord(odd[0]):04X}", node.start_mark)
    return str(text)


def _short(text: str) -> str:
    """Enough of a text for a line, printable."""
    kept = "".join(c if c.isprintable() else "?" for c in text[:40])
    return kept + "…" * (len(text) > 40)


def _problem(error: yaml.YAMLError) -> str:
    """What PyYAML says, without its places."""
    parts = [getattr(error, name, None) for name in ("context", "problem", "reason")]
    problem = ", ".join(str(part) for part in parts if part) or str(error)
    return " ".join("".join(c if c.isprintable() else " " for c in problem).split())[:200]


def _line(error: yaml.YAMLError) -> int | None:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return mark.line + 1 if mark else None


def near_line(lines: dict[Place, Any], place: Place) -> Any:
    """What is known of a place, or of the nearest one that it lies in; None of none."""
    return next((lines[p] for p in _upwards(place) if p in lines), None)


def _upwards(place: Place) -> Iterator[Place]:
    for end in range(len(place), -1, -1):
        yield place[:end]
