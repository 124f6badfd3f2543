"""``<suite>.ranks.parquet``: the ranks of all results of a suite, and metrics made of them again.

Equal ranks give equal bytes (with one version of pyarrow): results stand in the order of keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from recmerge_bench.results.records import Records, Result
from recmerge_bench.untrusted.tables import read_table

#: The columns of the file and their types in Parquet.
COLUMNS = {
    "key": "BYTE_ARRAY", "user": "INT32", "domain": "BYTE_ARRAY", "target": "INT32",
    "n_better": "INT32", "n_equal": "INT32",
}  # fmt: skip


def write_all_ranks(path: Path, tables: Mapping[str, RankTable]) -> None:
    """Write the tables of these rank cells (by key), whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = sorted(tables.items())
    sizes = [len(t.users) for _, t in order]

    def joined(values: list[NDArray[np.int32]]) -> NDArray[np.int32]:
        return np.concatenate([np.asarray(v, np.int32) for v in values] or [np.zeros(0, np.int32)])

    names = [np.asarray(t.domains, object)[t.domain] for _, t in order]
    columns = {
        "key": pa.array(np.repeat([k for k, _ in order], sizes)).dictionary_encode(),
        "user": joined([t.users for _, t in order]),
        "domain": pa.array(np.concatenate(names) if names else []).dictionary_encode(),
        "target": joined([t.targets for _, t in order]),
        "n_better": joined([t.n_better for _, t in order]),
        "n_equal": joined([t.n_equal for _, t in order]),
    }
    with written_aside(path) as aside:
        # Users and targets repeat from result to result: pages long enough that zstd sees it.
        pq.write_table(
            pa.table(columns), aside,
            compression="zstd", compression_level=12, write_statistics=False,
            data_page_size=1 << 27, row_group_size=1 << 26, use_dictionary=["key", "domain"],
            column_encoding={"user": "PLAIN", "target": "PLAIN", "n_equal": "PLAIN",
                             "n_better": "BYTE_STREAM_SPLIT"},
        )  # fmt: skip


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
    table = read_table(path, COLUMNS, "a table of ranks", rows)
    if not table.num_rows:
        return {}
    (keys, key_of), (names, name_of) = (_encoded(table.column(c), path) for c in ("key", "domain"))
    plain = {c: table.column(c).to_numpy() for c in ("user", "target", "n_better", "n_equal")}
    tables = {}
    order = np.argsort(key_of, kind="stable")
    bounds = np.searchsorted(key_of[order], np.arange(len(keys) + 1))
    for number, key in enumerate(keys):
        of_key = order[bounds[number] : bounds[number + 1]]
        present, domain = np.unique(name_of[of_key], return_inverse=True)
        own = [names[i] for i in present]
        place = np.argsort(np.argsort(own))  # domains are numbered by name
        tables[key] = RankTable(
            plain["user"][of_key], tuple(sorted(own)), place[domain].astype(np.int32),
            plain["target"][of_key], plain["n_better"][of_key], plain["n_equal"][of_key], {},
        )  # fmt: skip
    return tables


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
        raise DataError(f"not a table of ranks ({error})", path) from None
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
