"""From raw columns to `Interactions`: the order of events, the numbering of users and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.errors import DataError

Repeats = Literal["keep", "drop", "refuse"]


@dataclass(frozen=True)
class Item:
    """An item of the catalogue: its domain's name and its text."""

    domain: str
    text: str = ""


@dataclass
class Columns:
    """Raw events, a row each, in file order.

    Attributes:
        users: raw user ids.
        items: raw item ids.
        times: int64, integer times.
    """

    users: Sequence[str]
    items: Sequence[str]
    times: NDArray[np.integer[Any]]
    report: dict[str, int] = field(default_factory=dict)


def natural(token: str) -> tuple[int, int, str, str]:
    """Sort key: whole numbers (ASCII digits) by value, before everything else by text."""
    if not (token.isascii() and token.isdecimal()):
        return (1, 0, token, token)
    digits = token.lstrip("0")  # by length, then digits: int() refuses numbers of 4300 digits
    return (0, len(digits), digits, token)


def build_interactions(
    columns: Columns,
    items: Mapping[str, Item],
    domains: Sequence[str],
    repeats: Repeats = "keep",
    k_user: int = 0,
    k_item: int = 0,
) -> Interactions:
    """Number users and items, sort the events, apply the policy for repeats and the k-core.

    Items are numbered by domain (in the order of `domains`), then by raw id; users by raw id
    (whole numbers by value). Events of a user are sorted stably by (integer time, file order).
    Items of the catalogue without events are kept, unless a k-core drops them.

    Args:
        columns: the events.
        items: the catalogue, by raw id.
        domains: names, in numbering order.
        repeats: what to do where a user meets an item again: keep all, keep the first, refuse.
        k_user: least events of a user; 0: any.
        k_item: least events of an item; 0: any.

    Raises:
        DataError: an unknown item or domain, an empty domain, a repeat that is refused.
    """
    tokens = _numbered_items(columns, items, domains)
    user_tokens = sorted(set(columns.users), key=natural)
    rows, users = _numbers(columns.items, tokens), _numbers(columns.users, user_tokens)
    report = dict(columns.report)
    order = np.lexsort((np.arange(len(rows)), columns.times, users))
    users, rows, times = users[order], rows[order], columns.times[order]
    keep = _first_meetings(users, rows, len(tokens), repeats, report)
    keep[keep] &= k_core(users[keep], rows[keep], k_user, k_item)
    report["events_dropped_by_k_core"] = int(len(users) - keep.sum()) - report.get(
        "repeats_dropped", 0
    )
    users, rows, times = users[keep], rows[keep], times[keep]
    kept_items = np.ones(len(tokens), bool)
    if k_item > 0:
        kept_items = np.bincount(rows, minlength=len(tokens)) > 0
    tokens, rows = _renumber(tokens, rows, kept_items)
    present = np.bincount(users, minlength=len(user_tokens)) > 0
    user_tokens, users = _renumber(user_tokens, users, present)
    report["users_without_events"] = int((~present).sum())
    catalogue = _catalogue(tokens, items, domains, rows)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(users, minlength=len(user_tokens)))])
    return Interactions(
        offsets.astype(np.int64), rows.astype(np.int32), times.astype(np.int64),
        user_tokens, catalogue, report,
    )  # fmt: skip


def _numbered_items(
    columns: Columns, items: Mapping[str, Item], domains: Sequence[str]
) -> list[str]:
    """Raw ids of the catalogue by domain, then by id; every item of an event is among them."""
    unknown = sorted({i.domain for i in items.values()} - set(domains))
    if unknown:
        raise DataError(f"items of unknown domains: {', '.join(unknown[:5])}")
    missing = next((i for i in columns.items if i not in items), None)
    if missing is not None:
        raise DataError(f"item '{missing}' has events but is not in the catalogue")
    place = {name: n for n, name in enumerate(domains)}
    return sorted(items, key=lambda t: (place[items[t].domain], natural(t)))


def _numbers(values: Sequence[str], tokens: Sequence[str]) -> NDArray[np.int64]:
    """Where each value stands among the tokens: int64 [N]."""
    number = {token: n for n, token in enumerate(tokens)}
    return np.fromiter((number[value] for value in values), np.int64, len(values))


def _first_meetings(
    users: NDArray[np.integer[Any]],
    items: NDArray[np.integer[Any]],
    n_items: int,
    repeats: Repeats,
    report: dict[str, int],
) -> NDArray[np.bool_]:
    pair = users * max(n_items, 1) + items
    _, first = np.unique(pair, return_index=True)
    keep = np.zeros(len(pair), bool)
    keep[first] = True
    count = int((~keep).sum())
    report["repeats"] = count
    if count and repeats == "refuse":
        raise DataError(f"{count} events repeat a user's item, and this dataset refuses repeats")
    if repeats == "drop":
        report["repeats_dropped"] = count
        return keep
    return np.ones(len(pair), bool)


def k_core(
    users: NDArray[np.integer[Any]], items: NDArray[np.integer[Any]], k_user: int, k_item: int
) -> NDArray[np.bool_]:
    """The k-core: events are dropped until every user and every item that is left has enough.

    Args:
        users: integers [N], not negative.
        items: integers [N], not negative.
        k_user: least events of a user; 0: any.
        k_item: least events of an item; 0: any.

    Returns:
        bool [N], the events that stay.
    """
    keep = np.ones(len(users), bool)
    while True:
        enough = np.ones(len(users), bool)
        if k_user > 0 and keep.any():
            enough &= np.bincount(users[keep], minlength=users.max() + 1)[users] >= k_user
        if k_item > 0 and keep.any():
            enough &= np.bincount(items[keep], minlength=items.max() + 1)[items] >= k_item
        smaller = keep & enough
        if (smaller == keep).all():
            return keep
        keep = smaller


def _renumber(
    tokens: Sequence[str], rows: NDArray[np.integer[Any]], keep: NDArray[np.bool_]
) -> tuple[list[str], NDArray[np.int64]]:
    number = np.cumsum(keep) - 1
    return [t for t, k in zip(tokens, keep, strict=True) if k], number[rows]


def _catalogue(
    tokens: list[str],
    items: Mapping[str, Item],
    domains: Sequence[str],
    rows: NDArray[np.integer[Any]],
) -> Catalogue:
    index = {name: n for n, name in enumerate(domains)}
    belongs = np.array([index[items[t].domain] for t in tokens], np.int64)
    sizes = np.bincount(belongs, minlength=len(domains))
    events = np.bincount(belongs[rows], minlength=len(domains)) if len(rows) else sizes * 0
    for name, size, count in zip(domains, sizes, events, strict=True):
        if not size or not count:
            raise DataError(f"domain '{name}' is empty: {size} items, {count} events")
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Catalogue(tuple(domains), offsets, tokens, [items[t].text for t in tokens])
