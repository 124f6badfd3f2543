"""The stored form of an evaluation: two counts for each instance, as a Parquet table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.errors import DataError
from recmerge_bench.files import written_aside
from recmerge_bench.untrusted.jsons import loads
from recmerge_bench.untrusted.tables import read_table

#: A rank cell's tables: as its protocol ranks, and, where that is against all items, without those
#: of the history, from the same pass.
RANKS, MASKED = "ranks.parquet", "ranks-masked.parquet"
_KEY = b"recmerge_bench"
#: The columns of the file and their types in Parquet.
COLUMNS = {
    "user": "INT32", "domain": "BYTE_ARRAY", "target": "INT32", "n_better": "INT32",
    "n_equal": "INT32",
}  # fmt: skip


@dataclass(frozen=True)
class RankTable:
    """Ranks of the instances of one evaluation, one row each.

    Attributes:
        users: int32 [T].
        domains: names, by domain number.
        domain: int32 [T], domain number.
        targets: int32 [T], global items.
        n_better: int32 [T].
        n_equal: int32 [T].
        about: JSON facts: protocol, hash of the candidate set, and what else the writer adds.
    """

    users: np.ndarray
    domains: tuple[str, ...]
    domain: np.ndarray
    targets: np.ndarray
    n_better: np.ndarray
    n_equal: np.ndarray
    about: Mapping[str, Any]


def write_ranks(path: Path, table: RankTable) -> None:
    """Write atomically; equal tables give equal bytes (with one version of pyarrow)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "user": pa.array(table.users.astype(np.int32)),
        "domain": pa.DictionaryArray.from_arrays(
            pa.array(table.domain.astype(np.int32)), pa.array(list(table.domains), pa.string())
        ),
        "target": pa.array(table.targets.astype(np.int32)),
        "n_better": pa.array(table.n_better.astype(np.int32)),
        "n_equal": pa.array(table.n_equal.astype(np.int32)),
    }
    facts = {"domains": list(table.domains), "about": dict(table.about)}
    metadata = {_KEY: json.dumps(facts, sort_keys=True).encode()}
    with written_aside(path) as draft:
        pq.write_table(
            pa.table(columns).replace_schema_metadata(metadata),
            draft,
            compression="zstd",
            version="2.6",
            write_statistics=False,
        )


def read_ranks(path: Path) -> RankTable:
    """Read what `write_ranks` wrote.

    Raises:
        DataError: not such a file.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = read_table(path, COLUMNS, "a table of ranks")
    try:
        names, facts = _facts((table.schema.metadata or {})[_KEY])
        column = table.column("domain").cast(pa.string()).combine_chunks()
        numbers = pc.index_in(column, pa.array(names, pa.string()))
        if numbers.null_count:
            raise ValueError("it has a domain that its metadata do not name")
        domain = numbers.to_numpy(zero_copy_only=False).astype(np.int32)
        plain = {c: table.column(c).to_numpy() for c in ("user", "target", "n_better", "n_equal")}
    except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(f"not a table of ranks ({error})", path) from None
    if any(len(v) and v.min() < 0 for v in plain.values()):
        raise DataError("not a table of ranks (a number is below 0)", path)
    return RankTable(
        plain["user"], tuple(names), domain, plain["target"], plain["n_better"],
        plain["n_equal"], facts,
    )  # fmt: skip


def _facts(metadata: bytes) -> tuple[list[str], dict[str, Any]]:
    """The domains' names and what else a file says of its ranks."""
    facts = loads(metadata)
    names, rest = facts["domains"], facts["about"]
    if not isinstance(rest, dict) or not isinstance(names, list):
        raise TypeError("its metadata are none")
    if not all(isinstance(n, str) for n in names) or len(set(names)) < len(names):
        raise TypeError("its domains are no names")
    return names, rest


def same_targets(one: RankTable, other: RankTable) -> bool:
    """Whether two tables are of the same test targets, row by row."""
    if len(one.users) != len(other.users):
        return False
    names = [np.asarray(t.domains, object)[t.domain] for t in (one, other)]
    alike = (one.users == other.users) & (one.targets == other.targets) & (names[0] == names[1])
    return bool(alike.all())
