"""Sequence files as sequential recommenders are released with: one line a user, oldest item first.

Three layouts: ``user-items`` (S3-Rec and what was made of its files: ``user item item ...``),
``items`` (gSASRec: ``item item ...``, the line's number is the user), and ``pairs`` (SASRec:
``user item``, a line an event, each user's oldest first).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from recmerge_bench.errors import DataError
from recmerge_bench.toolkit.data.build import Columns
from recmerge_bench.toolkit.data.joined import DomainEvents
from recmerge_bench.toolkit.data.text_files import EVENTS, check_id, decoded, lines_of

Layout = Literal["user-items", "items", "pairs"]


def read_sequences(
    path: Path, domain: str, layout: Layout = "user-items", separator: str = "",
    encoding: str = "utf-8", texts: Path | None = None,
) -> DomainEvents:  # fmt: skip
    """A file of sequences as a domain's events; times are places in the sequence, from 0.

    Args:
        path: the file.
        domain: its domain.
        layout: see the module.
        separator: between fields; any white space if empty.
        encoding: of both files.
        texts: a file of ``item<TAB>text`` lines; items that it has no line of have no text.

    Raises:
        DataError: bad content, with file and line, and how to fix it.
    """
    users: list[str] = []
    items: list[str] = []
    times: list[int] = []
    next_place: dict[str, int] = {}
    for user, sequence in _sequences(path, layout, separator, encoding):
        first = next_place.get(user, 0)
        users += [user] * len(sequence)
        items += sequence
        times += range(first, first + len(sequence))
        next_place[user] = first + len(sequence)
        if len(items) > EVENTS:
            raise DataError(f"more than {EVENTS} events", path)
    known = _texts(texts, encoding) if texts else {}
    columns = Columns(users, items, np.array(times, np.int64))
    return DomainEvents(
        domain, columns, {item: known.get(item, "") for item in dict.fromkeys(items)}
    )


def _sequences(
    path: Path, layout: Layout, separator: str, encoding: str
) -> Iterator[tuple[str, list[str]]]:
    """User and items of each line."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines_of(decoded(path, encoding), path), 1):
        fields = [f.strip() for f in line.split(separator or None)]
        if not fields or fields == [""]:
            raise DataError("an empty line; a user without events has no line", path, number)
        for column, field in enumerate(fields, 1):
            check_id(field, path, number, column)
        if layout == "items":
            yield str(number), fields
            continue
        user, *items = fields
        _check_line(user, items, layout, path, number, seen)
        yield user, items


def _check_line(
    user: str, items: list[str], layout: Layout, path: Path, number: int, seen: dict[str, int]
) -> None:
    if not items:
        raise DataError(
            f"one field, '{user:.40}', and no item: a line is a user and the items, separated by "
            "white space or the option separator (without users: layout items)", path, number,
        )  # fmt: skip
    if layout == "pairs":
        if len(items) > 1:
            raise DataError(
                f"{len(items) + 1} fields: layout pairs has a user and one item a line; lines of "
                "whole sequences are layout user-items", path, number,
            )  # fmt: skip
        return
    if user in seen:
        hint = "; a line an event is layout pairs" if len(items) == 1 else ""
        raise DataError(
            f"user '{user:.40}' has a second line (the first is line {seen[user]}){hint}", path,
            number,
        )  # fmt: skip
    seen[user] = number


def _texts(path: Path, encoding: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for number, line in enumerate(lines_of(decoded(path, encoding), path), 1):
        item, tab, text = line.partition("\t")
        check_id(item, path, number, 1)
        if not tab:
            raise DataError("no tab: a line is an item, a tab and its text", path, number)
        if item in texts:
            raise DataError(f"item '{item:.40}' appears twice", path, number)
        texts[item] = text
    return texts
