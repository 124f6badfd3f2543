"""Committed ranks: two tables of a cell as one, and what a file of them may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.planning.keys import ranks_key
from recmerge_bench.results.all_ranks import COLUMNS, PAIRED, read_all_ranks, write_all_ranks

ONE, TWO, THREE = ("abc"[n] * 64 for n in range(3))


def table(seed: int, rows: int = 3000, items: int = 16_000) -> RankTable:
    random = np.random.default_rng(seed)
    domain = np.sort(random.integers(0, 2, rows)).astype(np.int32)
    return RankTable(
        np.arange(rows, dtype=np.int32), ("beauty", "toys"), domain,
        np.random.default_rng(9).integers(0, items, rows).astype(np.int32),
        random.integers(8, items, rows).astype(np.int32),
        random.integers(2, 3, rows).astype(np.int32), {},
    )  # fmt: skip


def masked(whole: RankTable, seed: int) -> RankTable:
    """The same without the history: up to eight items above, up to two equal ones."""
    random = np.random.default_rng(seed)
    better = whole.n_better - random.integers(0, 9, len(whole.users)).astype(np.int32)
    equal = whole.n_equal - random.integers(0, 3, len(whole.users)).astype(np.int32)
    return RankTable(whole.users, whole.domains, whole.domain, whole.targets, better, equal, {})


@pytest.fixture
def tables() -> dict[str, RankTable]:
    """Two cells with both tables, one with the first alone, one with the second alone."""
    first, second, third = (table(n) for n in range(3))
    return {
        ONE: first, ranks_key(ONE, True): masked(first, 5),
        TWO: second, ranks_key(TWO, True): masked(second, 6),
        THREE: third, ranks_key("d" * 64, True): masked(third, 7),
    }  # fmt: skip


def alike(one: RankTable, other: RankTable) -> bool:
    counts = ((one.n_better, other.n_better), (one.n_equal, other.n_equal))
    return (
        same_targets(one, other)
        and one.domains == other.domains
        and all(bool((a == b).all()) and a.dtype == b.dtype == np.int32 for a, b in counts)
    )


def test_every_table_comes_back(tables: dict[str, RankTable], tmp_path: Path) -> None:
    write_all_ranks(tmp_path / "r.parquet", tables)
    again = read_all_ranks(tmp_path / "r.parquet")
    assert again.keys() == tables.keys()
    assert all(alike(again[key], tables[key]) for key in tables)
    write_all_ranks(tmp_path / "s.parquet", dict(reversed(again.items())))
    assert (tmp_path / "s.parquet").read_bytes() == (tmp_path / "r.parquet").read_bytes()


def test_a_pair_takes_the_rows_of_one_table(tables: dict[str, RankTable], tmp_path: Path) -> None:
    write_all_ranks(tmp_path / "pairs", tables)
    whole = sum(len(one.users) for one in tables.values())
    assert pq.read_metadata(tmp_path / "pairs").num_rows == whole - 2 * 3000
    alone = {f"{n:064}": one for n, one in enumerate(tables.values())}
    write_all_ranks(tmp_path / "alone", alone)
    assert pq.read_metadata(tmp_path / "alone").num_rows == whole
    assert pq.read_schema(tmp_path / "alone").names == list(COLUMNS)
    sizes = [(tmp_path / name).stat().st_size for name in ("pairs", "alone")]
    assert sizes[0] < 0.95 * sizes[1]


def test_tables_that_do_not_fit_stay_apart(tmp_path: Path) -> None:
    whole = table(1)
    beyond = masked(whole, 2)
    beyond.n_better[7] = whole.n_better[7] + 1  # more items without the history than with it
    turned = masked(whole, 3)
    turned = RankTable(
        turned.users[::-1].copy(), turned.domains, turned.domain, turned.targets, turned.n_better,
        turned.n_equal, {},
    )  # fmt: skip
    for other in (beyond, turned):
        both = {ONE: whole, ranks_key(ONE, True): other}
        write_all_ranks(tmp_path / "r", both)
        assert pq.read_metadata(tmp_path / "r").num_rows == 6000
        assert all(alike(read_all_ranks(tmp_path / "r")[key], both[key]) for key in both)


def changed(path: Path, **columns: Any) -> Path:
    """A file with other values in some columns."""
    whole = pq.read_table(path)
    for name, change in columns.items():
        values = change(whole.column(name).to_pylist())
        kind = pa.int32() if PAIRED[name] == "INT32" else pa.string()
        whole = whole.set_column(whole.column_names.index(name), name, pa.array(values, kind))
    pq.write_table(whole, path)
    return path


def test_pairs_that_are_none_are_refused(tables: dict[str, RankTable], tmp_path: Path) -> None:
    def fresh() -> Path:
        write_all_ranks(tmp_path / "r", tables)
        return tmp_path / "r"

    for wrong in (-1, 20_000):
        with pytest.raises(DataError, match="history_better is no part of n_better"):
            read_all_ranks(changed(fresh(), history_better=lambda v, w=wrong: [w, *v[1:]]))
    with pytest.raises(DataError, match="paired with"):
        read_all_ranks(changed(fresh(), masked_key=lambda v: ["e" * 64, *v[1:]]))
    with pytest.raises(DataError, match="paired with"):
        read_all_ranks(
            changed(fresh(), masked_key=lambda v: [v[n] * (n % 7 > 0) for n in range(len(v))])
        )
    second = ranks_key(ONE, True)
    with pytest.raises(DataError, match="is there twice"):
        read_all_ranks(changed(fresh(), key=lambda v: [second if k == THREE else k for k in v]))
    raw = bytearray(fresh().read_bytes())
    raw[len(raw) // 2] ^= 255
    (tmp_path / "r").write_bytes(bytes(raw))
    with pytest.raises(DataError):
        read_all_ranks(tmp_path / "r")


def test_rows_of_a_key_need_not_stand_together(
    tables: dict[str, RankTable], tmp_path: Path
) -> None:
    write_all_ranks(tmp_path / "r", tables)
    whole = pq.read_table(tmp_path / "r")
    # Row n of every table beside the others': within a table the order stays.
    order = np.argsort(np.tile(np.arange(3000), 4), kind="stable")
    pq.write_table(whole.take(pa.array(order)), tmp_path / "r")
    again = read_all_ranks(tmp_path / "r")
    assert all(alike(again[key], tables[key]) for key in tables)
