"""Short names of lines, and which lines a drawing shows where there are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Name -> the part of it that tells it from the others.

    ``method (variant; recipe)`` becomes ``method`` where the method stands here once, else
    ``method`` with those of its notes that others of the method lack.
    """
    parts = {name: _split(name) for name in names}
    short = {name: _short(name, parts) for name in parts}
    alike = {s for s in short.values() if list(short.values()).count(s) > 1}
    return {name: name if s in alike else s for name, s in short.items()}


def _short(name: str, parts: Mapping[str, tuple[str, list[str]]]) -> str:
    method, notes = parts[name]
    others = [their for other, (m, their) in parts.items() if m == method and other != name]
    apart = [note for note in notes if any(note not in their for their in others)]
    return f"{method} ({'; '.join(apart)})" if apart else method


def _split(name: str) -> tuple[str, list[str]]:
    """Method, and the notes in its brackets."""
    method, bracket, notes = name.partition(" (")
    return method, notes.removesuffix(")").split("; ") if bracket else []


def bounds(texts: Sequence[str]) -> tuple[list[str], str]:
    """What tells texts apart at their beginning, and the words that they all end in.

    ``3 to 4 events before it`` and ``5 events before it`` give ``3 to 4``, ``5`` and
    ``events before it``.
    """
    words = [text.split() for text in texts]
    tail = 0
    while all(len(w) > tail + 1 for w in words) and len({w[-1 - tail] for w in words}) == 1:
        tail += 1
    heads = [" ".join(w[: len(w) - tail]) for w in words]
    return heads, " ".join(words[0][len(words[0]) - tail :]) if words else ""
