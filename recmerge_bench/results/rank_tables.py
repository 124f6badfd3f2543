"""Tables of ranks compared: the same targets, the same ranks; keys that tell them apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from recmerge_bench.evaluation.ranks import RankTable


def same_targets(one: RankTable, other: RankTable) -> bool:
    """Whether both are of the same targets of the same users and domains, in the same order."""
    return _domains(one) == _domains(other) and _equal(one, other, "users", "targets")


def same_ranks(one: RankTable, other: RankTable) -> bool:
    """Whether two tables of the same targets have the same ranks."""
    return _equal(one, other, "n_better", "n_equal")


def free_key(key: str, own: RankTable, ranks: Mapping[str, RankTable], salt: str) -> str:
    """The key, or one made of it where other ranks are known under it.

    Args:
        key: of a result.
        own: its ranks.
        ranks: key -> table, of the results that it is to stand beside.
        salt: of where it comes from.
    """
    while key in ranks and not same_ranks(ranks[key], own):
        key = hashlib.sha256(f"{salt} {key}".encode()).hexdigest()
    return key


def _domains(table: RankTable) -> list[str]:
    return list(np.asarray(table.domains, object)[table.domain])


def _equal(one: RankTable, other: RankTable, *columns: str) -> bool:
    return all(np.array_equal(getattr(one, c), getattr(other, c)) for c in columns)
