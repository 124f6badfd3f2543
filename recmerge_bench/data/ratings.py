"""Two files of ratings (``user,item,rating,time``, no header) -> a pair, as MERIT was made.

Every rating is an event. Files are read column by column and ids are numbered while they are read,
so that a row costs 16 bytes and an id its text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.data.pairs import LEAST, Pair
from recmerge_bench.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("user", "item", "rating", "time")
BLOCK_BYTES = 16 << 20
_LINE = re.compile(rb"[^,]+,[^,]+,[^,]*,-?[0-9]{1,18}")


@dataclass(frozen=True)
class Ratings:
    """One file.

    Attributes:
        users: int32 [N], numbers of the user ids.
        items: int32 [N], numbers of the item ids.
        times: int64 [N].
        user_ids: pyarrow array of the distinct user ids.
        item_ids: pyarrow array of the distinct item ids.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    user_ids: pa.Array
    item_ids: pa.Array


def read_ratings(path: Path) -> Ratings:
    """Read one file.

    Raises:
        DataError: with the line: another number of fields, an empty id, a time that is no whole
            number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    ids = pa.dictionary(pa.int32(), pa.string())
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=list(COLUMNS), block_size=BLOCK_BYTES),
            csv.ParseOptions(quote_char=False),
            csv.ConvertOptions(
                column_types={"user": ids, "item": ids, "time": pa.int64()},
                include_columns=["user", "item", "time"],
                null_values=[],
            ),
        ).unify_dictionaries()
    except pa.ArrowInvalid as error:
        raise _blame(path, str(error).splitlines()[0]) from None
    users, user_ids = _numbered(table["user"])
    items, item_ids = _numbered(table["item"])
    if pc.index(user_ids, "").as_py() >= 0 or pc.index(item_ids, "").as_py() >= 0:
        raise _blame(path, "an empty id")
    return Ratings(users, items, table["time"].to_numpy(), user_ids, item_ids)


def _numbered(column: Any) -> tuple[np.ndarray, Any]:
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
    return codes, column.chunk(0).dictionary


def _blame(path: Path, told: str) -> DataError:
    """The first line that is not of the form, looked for only when there is one."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            plain = line.rstrip(b"\r\n")
            if plain and not (_LINE.fullmatch(plain) and _is_text(plain)):
                shown = plain[:60].decode("utf-8", "replace")
                return DataError(f"'{shown}' is not: user,item,rating,time", path, number)
    return DataError(f"cannot be read as user,item,rating,time: {told}", path)


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
    a, b = read_ratings(first), read_ratings(second)
    report: dict[str, int] = {}
    users, items, times, n_first, names = _common(a, b, report)
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
    report["repeats"] = len(items) - len(np.unique(users * np.int64(len(item_ids)) + items))
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
    a: Ratings, b: Ratings, report: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, tuple[Any, Any]]:
    """Events of users of both files, of items of one file.

    Returns:
        users int64 [N] and items int64 [N], numbered by sorted id (of the first file's items
        first), times int64 [N], the first file's number of items, and the ids of users, items.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    of_a = pc.index_in(b.user_ids, a.user_ids).fill_null(-1).to_numpy()  # b's users as a's
    both_a = pc.is_in(a.item_ids, b.item_ids).to_numpy(zero_copy_only=False)
    both_b = pc.is_in(b.item_ids, a.item_ids).to_numpy(zero_copy_only=False)
    own_a, own_b = ~both_a[a.items], ~both_b[b.items]
    report["items_in_both_domains"] = int(both_a.sum())
    report["events_of_items_in_both_domains"] = int((~own_a).sum() + (~own_b).sum())
    n_users = len(a.user_ids)
    users_b = of_a[b.users]
    own_b &= users_b >= 0
    shared = np.bincount(a.users[own_a], minlength=n_users) > 0
    shared &= np.bincount(users_b[own_b], minlength=n_users) > 0
    report["users_of_both_domains"] = int(shared.sum())
    own_a &= shared[a.users]
    own_b &= shared[users_b]  # users_b is -1 only where own_b is false already
    user_ids, user_number = _sorted(a.user_ids, shared)
    items_a, number_a = _sorted(a.item_ids, _present(a.items[own_a], a.item_ids))
    items_b, number_b = _sorted(b.item_ids, _present(b.items[own_b], b.item_ids))
    users = np.concatenate([user_number[a.users[own_a]], user_number[users_b[own_b]]])
    items = np.concatenate([number_a[a.items[own_a]], number_b[b.items[own_b]] + len(items_a)])
    times = np.concatenate([a.times[own_a], b.times[own_b]])
    return users, items, times, len(items_a), (user_ids, pa.concat_arrays([items_a, items_b]))


def _present(codes: np.ndarray, ids: Any) -> np.ndarray:
    return np.bincount(codes, minlength=len(ids)) > 0


def _sorted(ids: Any, keep: np.ndarray) -> tuple[Any, np.ndarray]:
    """The kept ids, sorted by bytes, and the number of each id among them (int64, -1: none)."""
    import pyarrow.compute as pc

    chosen = np.flatnonzero(keep)
    kept = ids.take(chosen)
    order = pc.sort_indices(kept).to_numpy()
    number = np.full(len(ids), -1, np.int64)
    number[chosen[order]] = np.arange(len(chosen))
    return kept.take(order), number


def _latest(users: np.ndarray, last: int) -> np.ndarray:
    """Which events of sorted users are among their `last` latest: bool [N]."""
    counts = np.bincount(users)
    ends = np.cumsum(counts)[users]
    return ends - np.arange(len(users)) <= last
