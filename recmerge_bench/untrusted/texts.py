"""Texts of anyone within formats that would read some of them as more than text."""

from __future__ import annotations

import re

#: What spreadsheets take for the beginning of a formula, wide forms of the same signs too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_ENTITY = re.compile(r"&(?=#?\w+;)")
#: Of a link or an image: ``](``, ``][``, ``]:``.
_LINK = re.compile(r"\](?=[(\[:])")
#: Emphasis: stars anywhere, underscores at the edge of a word.
_EMPHASIS = re.compile(r"\*|(?<![^\W_])_|_(?![^\W_])")
#: One of these, or what cannot be printed, is in every text that is not printed as it is.
_MARKS = re.compile(r"[\\`|\]*_&~<>]")


def cell(text: str) -> str:
    """Text of a CSV's cell: what a spreadsheet would compute gets an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def markdown(text: str) -> str:
    """Text that Markdown prints as it is, within a line or a table's cell."""
    if text.isprintable() and not _MARKS.search(text):
        return text
    kept = "".join(c if c.isprintable() else " " for c in text)
    kept = kept.replace("\\", "\\\\")
    for mark in "`|":
        kept = kept.replace(mark, f"\\{mark}")
    kept = _EMPHASIS.sub(lambda match: f"\\{match[0]}", _LINK.sub(r"\\]", kept))
    kept = _ENTITY.sub("&amp;", kept).replace("~~", r"\~~")
    return kept.replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """Text between backticks: nothing in it can end them, or the cell that it stands in."""
    kept = "".join(c if c.isprintable() else " " for c in text).replace("`", "'")
    return f"`{kept.replace('|', chr(92) + '|') or ' '}`"
