"""Two files of ratings (``user,item,rating,time``, no header) -> a pair, as MERIT was made.

Every rating is an event. Files are read in blocks. Of the first file, the smaller one, every row is
kept, as numbers; of the second only rows of users that the first one has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from recmerge_bench_plugins.datasets.amazon_merit.pairs import LEAST, Pair

from recmerge_bench.api import DataError

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("user", "item", "rating", "time")
BLOCK_BYTES = 32 << 20
_LINE = re.compile(rb"[^,]+,[^,]+,[^,]*,-?[0-9]{1,18}")


@dataclass(frozen=True)
class Ratings:
    """Events of one file.

    Attributes:
        users: int32 [N], numbers of the first file's user ids.
        items: int32 [N], numbers of this file's item ids.
        times: int64 [N].
        user_ids: pyarrow array of the first file's distinct user ids.
        item_ids: pyarrow array of this file's distinct item ids.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    user_ids: pa.Array
    item_ids: pa.Array


def read_first(path: Path) -> Ratings:
    """All events of a file.

    Raises:
        DataError: with the line: another number of fields, an empty id, a time that is no whole
            number.
    """
    import pyarrow as pa

    table = pa.Table.from_batches(_blocks(path)).unify_dictionaries()
    users, user_ids = _numbered(table["user"])
    items, item_ids = _numbered(table["item"])
    return Ratings(users, items, table["time"].to_numpy(), user_ids, item_ids)


def read_second(path: Path, first: Ratings, report: dict[str, int]) -> tuple[Ratings, np.ndarray]:
    """Events of another file, of the first one's users and of items that the first one lacks.

    Args:
        path: the file.
        first: what `read_first` gave.
        report: gets the number of items in both files and of this file's events of them.

    Returns:
        the events, and which of the first file's items are here too: bool [I].

    Raises:
        DataError: as `read_first` does.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    both = np.zeros(len(first.item_ids), bool)
    users, items, times, dropped = [], [], [], 0
    for block in _blocks(path):
        user, item = block.column("user"), block.column("item")
        known = pc.index_in(user.dictionary, first.user_ids).fill_null(-1).to_numpy()
        same = pc.index_in(item.dictionary, first.item_ids).fill_null(-1).to_numpy()
        both[same[same >= 0]] = True
        own = same[item.indices.to_numpy()] < 0
        dropped += int((~own).sum())
        numbers = known[user.indices.to_numpy()]
        keep = own & (numbers >= 0)
        users.append(numbers[keep])
        items.append(item.filter(pa.array(keep)))
        times.append(block.column("time").to_numpy()[keep])
    report["items_in_both_domains"] = int(both.sum())
    report["events_of_items_in_both_domains"] = dropped
    column = pa.chunked_array(items).unify_dictionaries()
    codes, item_ids = _numbered(column)
    return Ratings(
        np.concatenate(users), codes, np.concatenate(times), first.user_ids, item_ids
    ), both


def _blocks(path: Path) -> Iterator[pa.RecordBatch]:
    """``user`` and ``item`` (strings by number) and ``time`` (int64), some rows at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    ids = pa.dictionary(pa.int32(), pa.string())
    try:
        with csv.open_csv(
            path,
            csv.ReadOptions(column_names=list(COLUMNS), block_size=BLOCK_BYTES),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(
                column_types={"user": ids, "item": ids, "time": pa.int64()},
                include_columns=["user", "item", "time"],
                null_values=[],
            ),
        ) as reader:
            for block in reader:
                for name in ("user", "item"):
                    if pc.index(block.column(name).dictionary, "").as_py() >= 0:
                        raise _blame(path, "an empty id")
                yield block
    except pa.ArrowInvalid as error:
        raise _blame(path, str(error).splitlines()[0]) from None


def _numbered(column: Any) -> tuple[np.ndarray, Any]:
    """Numbers int32 of a column of one dictionary, and that."""
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
    return codes, column.chunk(0).dictionary


def _blame(path: Path, reason: str) -> DataError:
    """The first line that is not of the form, looked for only when there is one."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            plain = line.rstrip(b"\r\n")
            if plain and not (_LINE.fullmatch(plain) and _is_text(plain)):
                shown = plain[:60].decode("utf-8", "replace")
                return DataError(f"'{shown}' is not: user,item,rating,time", path, number)
    return DataError(f"cannot be read as user,item,rating,time: {reason}", path)


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def make_pair(
    first: Path, second: Path, k_item: int = 10, last: int = 50, least: int = LEAST
) -> Pair:
    """MERIT's preprocessing of two files of ratings.

    In this order: items that are in both files go; users have to be in both files; items with
    fewer than `k_item` events of those users go, once; a user keeps the `last` latest events of
    both domains together (events of one time: the first domain before the second, then by item
    id; the order of rows carries no meaning); users need `least` events of each domain among
    those. Users are numbered by id, items by domain and id. What went is counted in ``report``;
    a user's repeats of an item are counted and kept.

    Raises:
        DataError: a bad line, or nobody is left.
    """
    report: dict[str, int] = {}
    users, items, times, n_first, names = _common(first, second, report)
    if not len(users):
        raise DataError(f"no user has events of items of its own in {first.name} and in it", second)
    user_ids, item_ids = names
    enough = np.bincount(items, minlength=len(item_ids)) >= k_item
    report[f"items_below_{k_item}_events"] = int((np.bincount(items) > 0).sum() - enough.sum())
    keep = enough[items]
    report[f"events_of_items_below_{k_item}_events"] = int((~keep).sum())
    users, items, times = users[keep], items[keep], times[keep]
    order = np.lexsort((items, times, users))
    users, items, times = users[order], items[order], times[order]
    keep = _latest(users, last)
    report[f"events_before_the_last_{last}"] = int((~keep).sum())
    users, items, times = users[keep], items[keep], times[keep]
    n_users = len(user_ids)
    second_ones = items >= n_first
    by_domain = [np.bincount(users[m], minlength=n_users) for m in (~second_ones, second_ones)]
    lasting = np.minimum(*by_domain) >= least
    report[f"users_below_{least}_events_of_a_domain"] = n_users - int(lasting.sum())
    keep = lasting[users]
    users, items, times = users[keep], items[keep], times[keep]
    if not len(users):
        raise DataError(f"no user has {least} events in {first.name} and in this file", second)
    report["repeats"] = len(items) - len(np.unique(users.astype(np.int64) * len(item_ids) + items))
    lengths = np.bincount(users, minlength=n_users)[lasting]
    kept_items = np.bincount(items, minlength=len(item_ids)) > 0
    number = np.cumsum(kept_items) - 1
    return Pair(
        user_ids.take(np.flatnonzero(lasting)).to_pylist(),
        item_ids.take(np.flatnonzero(kept_items)).to_pylist(),
        int(kept_items[:n_first].sum()),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        number[items].astype(np.int32),
        times,
        report,
    )


def _common(
    first: Path, second: Path, report: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, tuple[Any, Any]]:
    """Events of users of both files, of items of one file.

    Returns:
        users int32 [N] and items int32 [N], numbered by sorted id (of the first file's items
        first), times int64 [N], the first file's number of items, and the ids of users, items.
    """
    import pyarrow as pa

    a = read_first(first)
    b, both = read_second(second, a, report)
    own = ~both[a.items]
    report["events_of_items_in_both_domains"] += int((~own).sum())
    n_users = len(a.user_ids)
    shared = np.bincount(a.users[own], minlength=n_users) > 0
    shared &= np.bincount(b.users, minlength=n_users) > 0
    report["users_of_both_domains"] = int(shared.sum())
    own &= shared[a.users]
    also = shared[b.users]
    user_ids, user_number = _sorted(a.user_ids, shared)
    items_a, number_a = _sorted(a.item_ids, _present(a.items[own], a.item_ids))
    items_b, number_b = _sorted(b.item_ids, _present(b.items[also], b.item_ids))
    number_b += np.int32(len(items_a))
    return (
        np.concatenate([user_number[a.users[own]], user_number[b.users[also]]]),
        np.concatenate([number_a[a.items[own]], number_b[b.items[also]]]),
        np.concatenate([a.times[own], b.times[also]]),
        len(items_a),
        (user_ids, pa.concat_arrays([items_a, items_b])),
    )


def _present(codes: np.ndarray, ids: Any) -> np.ndarray:
    return np.bincount(codes, minlength=len(ids)) > 0


def _sorted(ids: Any, keep: np.ndarray) -> tuple[Any, np.ndarray]:
    """The kept ids, sorted by bytes, and the number of each id among them (int32)."""
    import pyarrow.compute as pc

    chosen = np.flatnonzero(keep)
    kept = ids.take(chosen)
    order = pc.sort_indices(kept).to_numpy()
    number = np.zeros(len(ids), np.int32)  # of those that are not kept: never read
    number[chosen[order]] = np.arange(len(chosen))
    return kept.take(order), number


def _latest(users: np.ndarray, last: int) -> np.ndarray:
    """Which events of sorted users are among their `last` latest: bool [N]."""
    counts = np.bincount(users)
    ends = np.cumsum(counts)[users]
    return ends - np.arange(len(users)) <= last
