"""Errors that are the user's to fix (one line, exit code 2), apart from bugs (exit code 3)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class HandledError(Exception):
    """Wrong use or bad input: shown as one line, what, where and how to fix it; exit code 2.

    Whatever of a stranger's text stands in it, it is one printable line of bounded length.

    Args:
        message: the line.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(one_line(message))


def one_line(text: str, longest: int = 2000) -> str:
    """A text with what is not printable escaped, cut to a length."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return text if len(text) <= longest else f"{text[:longest]}..."


class DataError(HandledError):
    """Bad content in a data file, with the place where it stands.

    Args:
        message: what is wrong and how to fix it.
        file: the file at fault.
        line: 1-based line number, where known.
        column: name or 1-based number of the field, where known.
    """

    def __init__(
        self,
        message: str,
        file: Path | str | None = None,
        line: int | None = None,
        column: str | int | None = None,
    ) -> None:
        self.file, self.line, self.column = file, line, column
        place = ""
        if file is not None:
            place = str(file)
            if line is not None:
                place += f":{line}"
            if column is not None:
                place += f" (column {column})"
            place += ": "
        super().__init__(place + message)


class PluginError(HandledError):
    """A plugin's mistake: says which, in what file and line, and what is wrong."""


class Blocked(Exception):
    """A cell that cannot run here for want of a plugin, data or weights: counted, not failed.

    Args:
        reason: what is missing.
        remedy: the exact thing to do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__(f"{reason}; {remedy}")


def near(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known names closest to `name`, or an empty string."""
    hits = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    if not hits:
        return ""
    return " (did you mean " + " or ".join(f"'{h}'" for h in hits) + "?)"
