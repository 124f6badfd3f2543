"""``<suite>.ranks.parquet``: the ranks of all results of a suite, and metrics made of them again.

A row for each result and test target. Where a suite reports a rank cell with and without the items
of the history, one row has both: how many of the history's items stand before the target beside
how many of all do (`results.paired_ranks`), which is a third smaller than two tables. Equal ranks
give equal bytes (with one version of pyarrow): results stand in the order of keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import written_aside
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.results.derived import with_derived
from recmerge_bench.results.groups import Group, by_group
from recmerge_bench.results.metrics import domain_means, with_mean
from recmerge_bench.results.paired_ranks import Pair, in_pairs, masked_of
from recmerge_bench.results.records import Records, Result
from recmerge_bench.results.spilled import Arrays, arrays
from recmerge_bench.untrusted.tables import GROUP_ROWS, check_table, column_names, read_groups

#: The columns of a file without pairs and their types in Parquet; files before pairs have these.
COLUMNS = {
    "key": "BYTE_ARRAY", "user": "INT32", "domain": "BYTE_ARRAY", "target": "INT32",
    "n_better": "INT32", "n_equal": "INT32",
}  # fmt: skip
#: Those of a file with pairs. `key` names the table of all items, `masked_key` the one without the
#: history's, whose counts are `n_better - history_better` and `n_equal - history_equal`; it is
#: empty where that one is not the suite's.
PAIRED = {
    **COLUMNS, "masked_key": "BYTE_ARRAY", "history_better": "INT32", "history_equal": "INT32",
}  # fmt: skip


#: What such a file is called in messages.
WHAT = "a table of ranks"
#: Rows of a group of rows: a window of zstd's many times over, and half a gigabyte when read.
GROUP = 1 << 24
#: Rows that a file may have at all, and those from which on tables are mapped from a file.
MOST, IN_MEMORY = 1_000_000_000, 50_000_000


def write_all_ranks(path: Path, tables: Mapping[str, RankTable]) -> None:
    """Write the tables of these rank cells (by key), whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pairs = in_pairs(tables)
    names = list(PAIRED if any(pair.masked_key for pair in pairs) else COLUMNS)
    texts = [n for n in names if PAIRED[n] == "BYTE_ARRAY"]
    plain = ("user", "target")  # whole numbers repeat from result to result, their bytes do not
    encodings = {n: "PLAIN" if n in plain else "BYTE_STREAM_SPLIT" for n in names if n not in texts}
    with written_aside(path) as aside:
        writer = None
        for group in _groups(pairs):
            columns = _columns(group)
            table = pa.table({name: columns[name] for name in names})
            if writer is None:
                # Users and targets repeat from result to result: pages long enough that zstd
                # sees it.
                writer = pq.ParquetWriter(
                    aside, table.schema, compression="zstd", compression_level=12,
                    write_statistics=False, write_page_checksum=True, data_page_size=1 << 27,
                    use_dictionary=texts, column_encoding=encodings,
                )  # fmt: skip
            writer.write_table(table, row_group_size=GROUP_ROWS)
        assert writer is not None
        writer.close()


def _groups(pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """The pairs by groups of rows: whole pairs, `GROUP` rows at most or one pair; one at least."""
    group: list[Pair] = []
    rows = 0
    for pair in pairs:
        size = len(pair.table.users)
        if group and rows + size > GROUP:
            yield group
            group, rows = [], 0
        group.append(pair)
        rows += size
    yield group


def _columns(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Column -> values, the pairs one after the other."""
    import pyarrow as pa

    sizes = [len(pair.table.users) for pair in pairs]

    def joined(values: Iterator[NDArray[np.int32]]) -> NDArray[np.int32]:
        return np.concatenate([np.zeros(0, np.int32), *(np.asarray(v, np.int32) for v in values)])

    def repeated(values: list[str]) -> Any:
        return pa.DictionaryArray.from_arrays(
            pa.array(np.repeat(np.arange(len(values), dtype=np.int32), sizes)),
            pa.array(values, pa.string()),
        )

    return {
        "key": repeated([pair.key for pair in pairs]),
        "user": joined(pair.table.users for pair in pairs),
        "domain": _names([pair.table for pair in pairs]),
        "target": joined(pair.table.targets for pair in pairs),
        "n_better": joined(pair.table.n_better for pair in pairs),
        "n_equal": joined(pair.table.n_equal for pair in pairs),
        "masked_key": repeated([pair.masked_key for pair in pairs]).cast(pa.string())
        .dictionary_encode(),
        "history_better": joined(pair.history_better for pair in pairs),
        "history_equal": joined(pair.history_equal for pair in pairs),
    }  # fmt: skip


def _names(tables: Sequence[RankTable]) -> Any:
    """The domain of each row of these tables."""
    import pyarrow as pa

    names = sorted({name for table in tables for name in table.domains})
    numbers = [
        np.asarray([names.index(name) for name in table.domains], np.int32)[table.domain]
        for table in tables
    ]
    return pa.DictionaryArray.from_arrays(
        pa.array(np.concatenate([np.zeros(0, np.int32), *numbers])), pa.array(names, pa.string())
    )


def columns_of(path: Path) -> dict[str, str]:
    """The columns that such a file has to have: with or without pairs.

    Raises:
        HandledError: no such file.
        DataError: no Parquet file.
    """
    return PAIRED if "masked_key" in column_names(path, WHAT) else COLUMNS


def read_all_ranks(path: Path, rows: int | None = None) -> dict[str, RankTable]:
    """Key of a rank cell -> its table (domains numbered in the order of their names).

    Args:
        path: the file.
        rows: how many it has to have, where that is known.

    Raises:
        HandledError: no such file.
        DataError: not such a table.
    """
    if not path.is_file():
        raise HandledError(f"no such file of ranks: {path}")
    columns = columns_of(path)
    length = check_table(path, columns, WHAT, rows, MOST)
    with arrays(spill=length > IN_MEMORY) as place:
        parts: dict[str, list[Pair]] = {}
        for table in read_groups(path, columns, WHAT, MOST):
            for pair in _pairs(table, path, place) if table.num_rows else ():
                parts.setdefault(pair.key, []).append(pair)
        tables: dict[str, RankTable] = {}
        for some in parts.values():
            for key, one in _joined(some, path).tables():
                if key in tables:
                    raise DataError(f"not {WHAT} ({key[:12]} is there twice)", path)
                tables[key] = replace(
                    one, n_better=place.kept(one.n_better), n_equal=place.kept(one.n_equal)
                )
        return tables


def _joined(parts: Sequence[Pair], path: Path) -> Pair:
    """One pair of those that a key has in several groups of rows."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if len({pair.masked_key for pair in parts}) > 1:
        raise DataError(f"not {WHAT} (what {first.key[:12]} is paired with)", path)
    names = sorted({name for pair in parts for name in pair.table.domains})
    domain = np.concatenate([
        np.asarray([names.index(name) for name in pair.table.domains], np.int32)[pair.table.domain]
        for pair in parts
    ])  # fmt: skip
    users, targets, better, equal = (
        np.concatenate([getattr(pair.table, field) for pair in parts])
        for field in ("users", "targets", "n_better", "n_equal")
    )
    return Pair(
        first.key, RankTable(users, tuple(names), domain, targets, better, equal, {}),
        first.masked_key, np.concatenate([pair.history_better for pair in parts]),
        np.concatenate([pair.history_equal for pair in parts]),
    )  # fmt: skip


def _pairs(table: Any, path: Path, place: Arrays) -> Iterator[Pair]:
    """What each key of a group of rows has."""
    (keys, key_of), (names, name_of) = (_encoded(table.column(c), path) for c in ("key", "domain"))
    plain = {c: table.column(c).to_numpy() for c in table.column_names if PAIRED[c] == "INT32"}
    if "masked_key" in table.column_names:
        others, other_of = _encoded(table.column("masked_key"), path)
    else:
        others, other_of = [""], np.zeros(table.num_rows, np.int32)
        plain |= dict.fromkeys(("history_better", "history_equal"), other_of)
    for number, of_key in enumerate(_places(key_of, len(keys))):
        if not len(key_of[of_key]):  # named by the column's dictionary alone
            continue
        own = {c: place.keep(values[of_key]) for c, values in plain.items()}
        masked = {others[i] for i in np.unique(other_of[of_key])}
        if masked - {"", masked_of(keys[number])} or len(masked) > 1:
            raise DataError(f"not {WHAT} (what {keys[number][:12]} is paired with)", path)
        for count, part in (("n_better", "history_better"), ("n_equal", "history_equal")):
            most = 0 if masked == {""} else own[count]
            if not ((own[part] >= 0) & (own[part] <= most)).all():
                raise DataError(f"not {WHAT} ({part} is no part of {count})", path)
        domains, domain = _numbered(names, name_of[of_key])
        one = RankTable(
            own["user"], domains, place.keep(domain), own["target"], own["n_better"],
            own["n_equal"], {},
        )  # fmt: skip
        yield Pair(keys[number], one, masked.pop(), own["history_better"], own["history_equal"])


def _places(key_of: NDArray[np.int32], count: int) -> Iterator[slice | NDArray[np.int64]]:
    """The rows of each key: a stretch where the keys stand one after the other, as written."""
    sorted_ = bool((key_of[1:] >= key_of[:-1]).all())
    order = None if sorted_ else np.argsort(key_of, kind="stable")
    bounds = np.searchsorted(key_of if order is None else key_of[order], np.arange(count + 1))
    for first, last in pairwise(bounds):
        yield slice(first, last) if order is None else order[first:last]


def _numbered(
    names: Sequence[str], of: NDArray[np.int32]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The names that there are, in order, and the number of each row's among them."""
    present = np.flatnonzero(np.bincount(of, minlength=len(names)))
    own = sorted(names[i] for i in present)
    place = np.zeros(len(names), np.int32)
    place[present] = [own.index(names[i]) for i in present]
    return tuple(own), place[of]


def _encoded(column: Any, path: Path) -> tuple[list[str], NDArray[np.int32]]:
    """A column of text as its distinct values and, for each row, which one it is."""
    import pyarrow as pa

    try:
        whole = column.unify_dictionaries().combine_chunks()
        if isinstance(whole, pa.ChunkedArray):
            whole = pa.concat_arrays(whole.chunks)
        values = whole.dictionary.cast(pa.string()).to_pylist()
        of = whole.indices.to_numpy()
    except (ValueError, pa.ArrowException) as error:
        raise DataError(f"not {WHAT} ({error})", path) from None
    if len(set(values)) < len(values):  # a dictionary may say a value twice
        distinct = list(dict.fromkeys(values))
        of = np.asarray([distinct.index(v) for v in values], of.dtype)[of]
        values = distinct
    return values, of


def derive(
    records: Records,
    ranks: Mapping[str, RankTable],
    registry: Registry,
    groups: Mapping[str, Sequence[Group]] | None = None,
) -> Records:
    """The records with all metrics computed again from committed ranks (and groups).

    Raises:
        HandledError: a result that is done has no ranks there.
    """
    results = [
        _again(result, records.header.metrics, ranks, registry, groups or {})
        if result.done
        else result
        for result in records.results
    ]
    return with_derived(registry, records.changed(results=results), ranks.__getitem__, groups)


def _again(
    result: Result, metrics: Sequence[str], ranks: Mapping[str, RankTable], registry: Registry,
    groups: Mapping[str, Sequence[Group]],
) -> Result:  # fmt: skip
    """A result with the numbers that its ranks give."""
    if result.key not in ranks:
        raise HandledError(
            f"the ranks of {result.identity.method} ({result.key[:12]}) are missing: build the "
            "records again from the run"
        )
    table = ranks[result.key]
    derived = result.changed(metrics=domain_means(registry, metrics, table, result.domains))
    if result.list_metrics:  # no ranks give these; their mean is that of the domains
        own = {d: values for d, values in result.list_metrics.items() if d != MEAN}
        derived = derived.changed(list_metrics=with_mean(own))
    if groups:
        derived = derived.changed(
            groups=by_group(registry, metrics[0], table, groups[result.split])
        )
    return derived
