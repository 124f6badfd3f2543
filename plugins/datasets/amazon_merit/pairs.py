"""Pairs of domains with the same users, in MERIT's release format.

``<d>_50_preprocessed.txt``: a user a line, ``number item|time item|time ...``, oldest first;
``map_item_50.txt``: {raw id: [number from 1, 0 or 1 for the domain]}; ``map_user_50.txt``:
{raw id: number from 0}. Times are UNIX seconds of midnights: events of a day are in the order of
the file, which is the first domain before the second and ascending raw ids within each.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.api import Catalogue, DataError, Interactions

DAY = 86_400
#: Events of each domain that the published preprocessing leaves every user.
LEAST = 5
_LINE = re.compile(r"[0-9]{1,9}( [0-9]{1,9}\|[0-9]{1,12})+")


@dataclass(frozen=True)
class Pair:
    """Events of users in two domains, in the published order.

    Attributes:
        users: raw ids, by user.
        items: raw ids, by item, the first domain's before the second's.
        n_first: items of the first domain.
        offsets: int64 [U + 1], events of user u are ``offsets[u] .. offsets[u + 1] - 1``.
        rows: int32 [N], items of the events.
        times: int64 [N], UNIX seconds, ascending within a user.
        report: counts of what was dropped or is out of the ordinary.
    """

    users: list[str]
    items: list[str]
    n_first: int
    offsets: np.ndarray
    rows: np.ndarray
    times: np.ndarray
    report: dict[str, int] = field(default_factory=dict)

    def owners(self) -> np.ndarray:
        """User of every event: int64 [N]."""
        return np.repeat(np.arange(len(self.users)), np.diff(self.offsets))

    def counts(self) -> dict[str, tuple[int, ...]]:
        """What MERIT's Table 1 counts; two numbers are of the first and the second domain.

        Validation and test targets are the last but one and the last event of every user.
        """
        ends = self.offsets[1:][np.diff(self.offsets) >= 2]

        def by_domain(rows: np.ndarray) -> tuple[int, int]:
            second = int((rows >= self.n_first).sum())
            return len(rows) - second, second

        return {
            "users": (len(self.users),),
            "items": (self.n_first, len(self.items) - self.n_first),
            "interactions": by_domain(self.rows),
            "validation targets": by_domain(self.rows[ends - 2]),
            "test targets": by_domain(self.rows[ends - 1]),
        }


def build(pair: Pair, domains: tuple[str, str]) -> Interactions:
    """As interactions: item n of the pair has the global number n and the id ``<domain>:<raw>``.

    Raises:
        DataError: a domain has no item or no event.
    """
    sizes = (pair.n_first, len(pair.items) - pair.n_first)
    for name, size, events in zip(domains, sizes, pair.counts()["interactions"], strict=True):
        if not size or not events:
            raise DataError(f"domain '{name}' is empty: {size} items, {events} events")
    names = [domains[n >= pair.n_first] for n in range(len(pair.items))]
    tokens = [f"{name}:{raw}" for name, raw in zip(names, pair.items, strict=True)]
    catalogue = Catalogue(
        domains, np.array([0, sizes[0], len(tokens)], np.int64), tokens, [""] * len(tokens)
    )
    return Interactions(
        pair.offsets, pair.rows, pair.times, pair.users, catalogue, dict(pair.report)
    )


def read_release(sequences: Path, items: Path, users: Path) -> Pair:
    """Read one pair as released.

    Counted and kept (``report``): users with fewer than five events of a domain, times that are
    no midnight, neighbours of one time whose items do not ascend.

    Raises:
        DataError: with file and line, where one is at fault: another form, ids that are not in
            the maps or not numbered without gaps, times that go back, an item that a user meets
            twice, an item in both domains.
    """
    raw_items, n_first = read_items(items)
    raw_users = read_users(users)
    lines = _lines(sequences)
    numbers = np.array(" ".join(lines).replace("|", " ").split(), np.int64)
    lengths = np.array([line.count("|") for line in lines], np.int64)
    heads = np.concatenate([[0], np.cumsum(2 * lengths + 1)[:-1]])
    wrong = np.flatnonzero(numbers[heads] != np.arange(len(lines)))
    if len(wrong):
        message = f"the line is of user {numbers[heads[wrong[0]]]}, not {wrong[0]}"
        raise DataError(f"{message}: users are numbered 0, 1, 2, ...", sequences, int(wrong[0]) + 1)
    if len(lines) != len(raw_users):
        raise DataError(f"{len(lines)} users, {users.name} has {len(raw_users)}", sequences)
    rows, times = np.delete(numbers, heads).reshape(-1, 2).T
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    _check_events(sequences, offsets, rows, times, len(raw_items))
    pair = Pair(raw_users, raw_items, n_first, offsets, (rows - 1).astype(np.int32), times.copy())
    return replace(pair, report=_oddities(pair))


def read_items(path: Path) -> tuple[list[str], int]:
    """Raw item ids in the order of their numbers, and how many are of the first domain.

    Raises:
        DataError: not such a map.
    """
    table = _object(path)
    for raw, value in table.items():
        whole = isinstance(value, list) and [type(v) for v in value] == [int, int]
        if not whole or value[1] not in (0, 1):
            raise DataError(f"item '{raw}' has {value!r}, not [number, 0 or 1]", path, 1)
    tokens = _numbered({raw: value[0] for raw, value in table.items()}, 1, "item", path)
    domains = np.array([table[raw][1] for raw in tokens], np.int64)
    back = np.flatnonzero(np.diff(domains) < 0)
    if len(back):
        raise DataError(
            f"item '{tokens[back[0] + 1]}' of the first domain has a number above one of the "
            "second domain's", path, 1,
        )  # fmt: skip
    return tokens, int((domains == 0).sum())


def read_users(path: Path) -> list[str]:
    """Raw user ids in the order of their numbers.

    Raises:
        DataError: not such a map.
    """
    return _numbered(_object(path), 0, "user", path)


def _numbered(table: dict[str, Any], start: int, what: str, path: Path) -> list[str]:
    """The keys in the order of their numbers, which have to be start, start + 1, ..."""
    tokens = [""] * len(table)
    for raw, number in table.items():
        if type(number) is not int or not start <= number < start + len(table):
            raise DataError(
                f"{what} '{raw}' has the number {number!r}, not one of "
                f"{start} .. {start + len(table) - 1}", path, 1,
            )  # fmt: skip
        if not raw or tokens[number - start]:
            raise DataError(f"two {what}s have the number {number}, or one has no id", path, 1)
        tokens[number - start] = raw
    return tokens


def _object(path: Path) -> dict[str, Any]:
    """A JSON object whose keys differ (a key that comes twice is an item in both domains)."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
            raise DataError(f"'{twice}' is in the map twice: every id has one number", path, 1)
        return members

    try:
        value = json.loads(path.read_bytes(), object_pairs_hook=unique)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise DataError(f"not JSON: {error}", path, line) from None
    except RecursionError:
        raise DataError("not JSON of this form: too deeply nested", path) from None
    if not isinstance(value, dict) or not value:
        raise DataError("no JSON object with ids", path)
    return value


def _lines(path: Path) -> list[str]:
    """Lines of the right form."""
    data = path.read_bytes()
    lines = data.decode("ascii", "replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    lines = [line.removesuffix("\r") for line in lines]
    if not lines:
        raise DataError("the file is empty", path)
    for number, line in enumerate(lines, 1):
        if not _LINE.fullmatch(line):
            raise DataError(f"'{line[:60]}' is not: user item|time item|time ...", path, number)
    return lines


def _check_events(
    path: Path, offsets: np.ndarray, rows: np.ndarray, times: np.ndarray, n_items: int
) -> None:
    owners = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))

    def refuse(wrong: np.ndarray, message: str) -> None:
        if len(wrong):
            at = int(wrong[0])
            raise DataError(f"{message} ({rows[at]}|{times[at]})", path, int(owners[at]) + 1)

    refuse(np.flatnonzero((rows < 1) | (rows > n_items)), f"an item is not one of 1 .. {n_items}")
    back = (np.diff(times) < 0) & (np.diff(owners) == 0)
    refuse(np.flatnonzero(back) + 1, "a time is before the one of the event before it")
    _, first = np.unique(owners * (n_items + 1) + rows, return_index=True)
    again = np.ones(len(rows), bool)
    again[first] = False
    refuse(np.flatnonzero(again), "the user has met the item before")


def _oddities(pair: Pair) -> dict[str, int]:
    """Counts of what the published preprocessing would not leave."""
    owners, second = pair.owners(), pair.rows >= pair.n_first
    by_domain = [
        np.bincount(owners[of_domain], minlength=len(pair.users)) for of_domain in (~second, second)
    ]
    tied = (np.diff(owners) == 0) & (np.diff(pair.times) == 0)
    return {
        f"users_below_{LEAST}_events_of_a_domain": int((np.minimum(*by_domain) < LEAST).sum()),
        "times_not_at_midnight": int((pair.times % DAY != 0).sum()),
        "ties_that_do_not_ascend": int((tied & (np.diff(pair.rows) < 0)).sum()),
    }
