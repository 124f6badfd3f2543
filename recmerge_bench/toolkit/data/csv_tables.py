"""Tables of separated values (RFC 4180) read by the names of their columns."""

from __future__ import annotations

import csv
import difflib
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.toolkit.data.build import Columns
from recmerge_bench.toolkit.data.joined import DomainEvents
from recmerge_bench.toolkit.data.text_files import (
    EVENTS,
    check_id,
    decoded,
    domain_name,
    lines_of,
)

#: A whole number; ``881250949.0`` is one.
_WHOLE = re.compile(r"-?[0-9]+(\.0*)?")


@dataclass(frozen=True)
class CsvColumns:
    """Names of the columns that are read; an empty one is not.

    Attributes:
        user: ids.
        item: ids.
        time: whole numbers, or ISO dates and times (UTC where no zone is given).
        domain: domains; the file is one if empty.
        rating: numbers.
        texts: of the table of items.
    """

    user: str = "user_id"
    item: str = "item_id"
    time: str = "timestamp"
    domain: str = ""
    rating: str = ""
    texts: tuple[str, ...] = ()

    def of_events(self) -> dict[str, str]:
        """Option -> the column that it names, of those that a table of events has to have."""
        named = {
            "user": self.user, "item": self.item, "time": self.time, "domain": self.domain,
            "rating": self.rating,
        }  # fmt: skip
        return {option: column for option, column in named.items() if column}


#: What columns are often called, by the option that names them; in lower case, without `_id`.
_USUAL: dict[str, tuple[str, ...]] = {
    "user": ("user", "cust", "reviewer", "client", "member", "visitor", "account", "buyer"),
    "item": ("item", "product", "sku", "asin", "article", "isbn", "movie", "book", "track"),
    "time": ("time", "date", "when", "ts", "day"),
    "domain": ("domain", "category", "shop", "genre", "department", "market"),
    "rating": ("rating", "stars", "score", "overall"),
    "item_id": ("item", "product", "sku", "asin", "article", "isbn", "movie", "book", "track"),
}


@dataclass(frozen=True)
class CsvTable:
    """A table as text.

    Attributes:
        file: where it came from.
        columns: name -> values.
        lines: where each row begins.
    """

    file: Path
    columns: dict[str, list[str]]
    lines: list[int]

    def __getitem__(self, name: str) -> list[str]:
        if name not in self.columns:
            raise DataError(f"no column '{name}'; {self._what_there_is({})}", self.file, 1)
        return self.columns[name]

    def needs(self, named: Mapping[str, str]) -> None:
        """Refuse a table that lacks columns, all of them at once.

        Args:
            named: option -> the column that it names.

        Raises:
            DataError: the missing ones, what there is, and which option to set to what.
        """
        missing = {o: c for o, c in named.items() if c not in self.columns}
        if missing:
            names = " and ".join(f"no column '{column}'" for column in missing.values())
            taken = [c for o, c in named.items() if o not in missing]
            free = [c for c in self.columns if c not in taken]
            likely = {o: likely_column(o, c, free) for o, c in missing.items()}
            raise DataError(f"{names}; {self._what_there_is(likely)}", self.file, 1)

    def _what_there_is(self, likely: Mapping[str, str]) -> str:
        """The columns, and the options to set."""
        there = ", ".join(f"{name:.40}" for name in self.columns)
        known = [f"{o}: {c}" for o, c in likely.items() if c]
        unknown = [o for o, c in likely.items() if not c]
        advice = [f"set `{'`, `'.join(known)}`"] if known else []
        advice += [f"name yours with the option `{o}`" for o in unknown]
        other = [d for d in ";\t|" if len(self.columns) == 1 and d in there]
        if other:
            advice = [f"fields look separated by another character: set `delimiter: {other[0]!r}`"]
        elif not likely:
            advice = ["options name the columns"]
        return "; ".join([f"it has: {there}", *advice])

    def ids(self, name: str) -> list[str]:
        """A column of ids.

        Raises:
            DataError: one is empty or too long.
        """
        for text, line in zip(self[name], self.lines, strict=True):
            check_id(text, self.file, line, name)
        return self[name]

    def times(self, name: str) -> NDArray[np.int64]:
        """A column of times: int64 [N], the unit of whole numbers or seconds of dates.

        Raises:
            DataError: one is neither.
        """
        pairs = zip(self[name], self.lines, strict=True)
        return np.array([_time(text, self.file, line, name) for text, line in pairs], np.int64)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column of finite numbers: float64 [N].

        Raises:
            DataError: one is none.
        """
        values = []
        for text, line in zip(self[name], self.lines, strict=True):
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise DataError(f"'{text:.40}' is no finite number", self.file, line, name)
            values.append(value)
        return np.array(values)


def _time(text: str, path: Path, line: int, column: str) -> int:
    if _WHOLE.fullmatch(text):
        whole = text.partition(".")[0]
        if len(whole) < 20 and -(2**63) <= int(whole) < 2**63:
            return int(whole)
        raise DataError(f"'{text:.40}' does not fit 64 bits", path, line, column)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"'{text:.40}' is no time: whole numbers or ISO dates (2014-07-23, "
            "2014-07-23T10:00:00+02:00) are; scale fractions first", path, line, column,
        ) from None  # fmt: skip
    return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def likely_column(option: str, wanted: str, columns: Sequence[str]) -> str:
    """The column that an option is likely to mean; empty where none is.

    Args:
        option: such as ``item``.
        wanted: what it names now, such as ``item_id``.
        columns: that the table has.
    """
    plain = {re.sub(r"[^a-z0-9]+", "", c.lower()): c for c in reversed(columns)}
    if (same := re.sub(r"[^a-z0-9]+", "", wanted.lower())) in plain:
        return plain[same]
    for usual in _USUAL.get(option, ()):
        for name, column in reversed(plain.items()):
            if name.startswith(usual) or (len(usual) > 3 and name.endswith((usual, usual + "id"))):
                return column
    hits = difflib.get_close_matches(same, list(plain), n=1, cutoff=0.6)
    return plain[hits[0]] if hits else ""


def read_csv(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> CsvTable:
    """Read a table whose first row names the columns.

    Raises:
        DataError: no rows, a column twice, a row of another width, quotes that do not end; with
            the line.
        HandledError: the delimiter is not one character.
    """
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise HandledError(f"delimiter takes one character, not {delimiter!r}")
    text = decoded(path, encoding)
    lines_of(text, path)
    if "\0" in text:
        raise DataError("zero bytes: name the file's encoding (utf-16?)", path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(before + 1)
            before = reader.line_num
            if len(rows) > EVENTS:
                raise DataError(f"more than {EVENTS} rows", path)
    except csv.Error as error:
        raise DataError(f"no table of separated values ({error})", path, reader.line_num) from None
    return _table(path, rows, lines, delimiter)


def _table(path: Path, rows: list[list[str]], lines: list[int], delimiter: str) -> CsvTable:
    names, *rest = rows if rows else [[]]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"column '{name:.40}' appears twice", path, 1)
    if not rest:
        raise DataError("a header and no rows", path, 1)
    for row, line in zip(rest, lines[1:], strict=True):
        if len(row) != len(names):
            hint = "" if len(names) > 1 else f"; fields are separated by {delimiter!r}"
            raise DataError(f"{len(row)} fields, the header has {len(names)}{hint}", path, line)
    columns = {n: list(c) for n, c in zip(names, zip(*rest, strict=True), strict=True)}
    return CsvTable(path, columns, lines[1:])


def domains_of(table: CsvTable, columns: CsvColumns, alone: str) -> list[str]:
    """The domain of each row; `alone` where there is no column of them.

    Raises:
        DataError: two values of the column would be one domain.
    """
    if not columns.domain:
        return [alone] * len(table.lines)
    table.needs({"domain": columns.domain})
    known: dict[str, str] = {}
    names = []
    for text, line in zip(table.ids(columns.domain), table.lines, strict=True):
        name = domain_name(text)
        if known.setdefault(name, text) != text:
            raise DataError(
                f"'{known[name]:.40}' and '{text:.40}' would both be the domain '{name}'",
                table.file, line, columns.domain,
            )  # fmt: skip
        names.append(name)
    return names


def domain_events(
    table: CsvTable, columns: CsvColumns, alone: str, texts: dict[str, str],
    least_rating: float = -math.inf,
) -> list[DomainEvents]:  # fmt: skip
    """The domains of a table, by name; rows below the least rating are left out.

    Args:
        table: of events.
        columns: what to read of it.
        alone: the domain, where no column tells it.
        texts: raw item id -> text.
        least_rating: of the rows that are kept.

    Raises:
        DataError: bad content, with its line.
    """
    table.needs(columns.of_events())
    users, items = table.ids(columns.user), table.ids(columns.item)
    times = table.times(columns.time)
    names = np.array(domains_of(table, columns, alone), object)
    keep = np.ones(len(users), bool)
    if columns.rating:
        keep = table.numbers(columns.rating) >= least_rating
    parts = []
    for name in sorted(set(names)):
        rows = np.flatnonzero(keep & (names == name))
        own = [items[r] for r in rows]
        report = {"below_rating": int((~keep & (names == name)).sum())} if columns.rating else {}
        events = Columns([users[r] for r in rows], own, times[rows], report)
        parts.append(DomainEvents(name, events, {i: texts.get(i, "") for i in dict.fromkeys(own)}))
    return parts


def item_texts(table: CsvTable, item: str, texts: Sequence[str]) -> dict[str, str]:
    """Raw item id -> its text, a column a line (``title: ...``); empty values are left out.

    A table of events will do: rows of one item that have the same texts count once.

    Raises:
        DataError: an item with two texts, or no such column.
    """
    lacking = [("texts", name) for name in texts if name not in table.columns]
    table.needs({"item_id": item, **dict(lacking[:1])})
    columns = [table[name] for name in texts]
    made: dict[str, str] = {}
    first: dict[str, int] = {}
    for row, (token, line) in enumerate(zip(table.ids(item), table.lines, strict=True)):
        values = [(n, " ".join(c[row].split())) for n, c in zip(texts, columns, strict=True)]
        text = "\n".join(f"{name}: {value}" for name, value in values if value)
        if made.setdefault(token, text) != text:
            raise DataError(
                f"item '{token:.40}' has other texts on line {first[token]}: leave one of them",
                table.file, line, item,
            )  # fmt: skip
        first.setdefault(token, line)
    return made
