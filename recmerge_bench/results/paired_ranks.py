"""A rank cell's two tables as one: ranks among all items, and how much of it is the history.

Of the items that score above a target, those of the user's own history are left out where a
protocol masks it. Models rank these high, so that there are few of them or all: a number of the
length of a history, where a rank is one of the length of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.planning.keys import ranks_key


@dataclass(frozen=True)
class Pair:
    """A table of ranks, with the one without the history's items where that is there too.

    Attributes:
        key: of the table.
        table: its ranks.
        masked_key: of the other table; empty: there is none.
        history_better: int32 [T], items of the history that score above the target.
        history_equal: int32 [T], those that equal it.
    """

    key: str
    table: RankTable
    masked_key: str
    history_better: NDArray[np.int32]
    history_equal: NDArray[np.int32]

    def tables(self) -> Iterator[tuple[str, RankTable]]:
        """Key and table, of each that there is."""
        yield self.key, self.table
        if self.masked_key:
            yield (
                self.masked_key,
                replace(
                    self.table,
                    n_better=self.table.n_better - self.history_better,
                    n_equal=self.table.n_equal - self.history_equal,
                ),
            )


def masked_of(key: str) -> str:
    """What names the table without the history's items of the cell that has this key."""
    return ranks_key(key, masked=True)


def in_pairs(tables: Mapping[str, RankTable]) -> list[Pair]:
    """Tables, two that belong together as one, in the order of keys.

    Two belong together where their keys say so, they are of the same targets in the same order and
    none counts more items without the history than with it.
    """
    pairs, done = [], set()
    for key in sorted(tables):
        other = masked_of(key)
        if other in tables and _fit(tables[key], tables[other]):
            pairs.append(_pair(key, other, tables))
            done.add(other)
    paired = {pair.key for pair in pairs}
    alone = [_alone(key, tables[key]) for key in tables if key not in paired | done]
    return sorted([*pairs, *alone], key=lambda pair: pair.key)


def _fit(table: RankTable, masked: RankTable) -> bool:
    return same_targets(table, masked) and bool(
        (masked.n_better <= table.n_better).all() and (masked.n_equal <= table.n_equal).all()
    )


def _pair(key: str, other: str, tables: Mapping[str, RankTable]) -> Pair:
    whole, masked = tables[key], tables[other]
    return Pair(key, whole, other, whole.n_better - masked.n_better, whole.n_equal - masked.n_equal)


def _alone(key: str, table: RankTable) -> Pair:
    none = np.zeros(len(table.users), np.int32)
    return Pair(key, table, "", none, none)
