"""Graphs of items from sequences: who follows whom, as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ItemGraph:
    """A sparse matrix by rows.

    Attributes:
        starts: int64 [N + 1]; row i has the entries ``starts[i] .. starts[i + 1] - 1``.
        columns: int64 [E], ascending within a row.
        values: float32 [E].
    """

    starts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float32]

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """``<name>_starts``, ``<name>_columns`` and ``<name>_values``."""
        return {
            f"{name}_starts": self.starts,
            f"{name}_columns": self.columns,
            f"{name}_values": self.values,
        }


def successions(
    offsets: NDArray[np.int64],
    items: NDArray[np.integer[Any]],
    groups: NDArray[np.integer[Any]] | None = None,
) -> tuple[NDArray[np.integer[Any]], NDArray[np.integer[Any]]]:
    """Pairs of events that follow one another in a sequence.

    Args:
        offsets: int64 [S + 1], see `Sequences.training`.
        items: int [N].
        groups: int [N], a group for each event: the next event is then the next one of the same
            group (a domain, say), whatever stands between; None: all are of one.

    Returns:
        Items before and after, of `items`' dtype [P] each.
    """
    if groups is None:
        groups = np.zeros(len(items), np.int64)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((groups, owner))
    group, sequence, ordered = groups[order], owner[order], items[order]
    same = (group[1:] == group[:-1]) & (sequence[1:] == sequence[:-1])
    return ordered[:-1][same], ordered[1:][same]


def row_shares(
    before: NDArray[np.integer[Any]], after: NDArray[np.integer[Any]], size: int
) -> ItemGraph:
    """Counts of pairs, each row divided by its sum; rows without a pair are empty.

    Args:
        before: int [P], rows.
        after: int [P], columns.
        size: number of rows and of columns.
    """
    cells, counts = np.unique(before.astype(np.int64) * size + after, return_counts=True)
    rows, columns = np.divmod(cells, size)
    totals = np.bincount(rows, counts, size)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size))])
    values = (counts / totals[rows]).astype(np.float32)
    return ItemGraph(starts.astype(np.int64), columns, values)


def normalised_adjacency(
    offsets: NDArray[np.int64], items: NDArray[np.integer[Any]], n_items: int
) -> dict[str, NDArray[Any]]:
    """Symmetrically normalised counts of neighbours: ``D^-1/2 (C + C^T) D^-1/2``.

    ``C[a, b]`` counts how often b comes right after a; an item after itself does not count. In
    mixed sequences the edges cross domains.

    Args:
        offsets: int64 [S + 1], of the training parts (see `Sequences.training`).
        items: int32 [N], global item numbers.
        n_items: of all domains.

    Returns:
        ``graph_rows`` and ``graph_columns`` int64 [K], sorted by row, then column, without
        repeats, and ``graph_weights`` float32 [K].
    """
    before, after = successions(offsets, items.astype(np.int64))
    apart = before != after
    before, after = before[apart], after[apart]
    codes = np.concatenate([before * n_items + after, after * n_items + before])
    codes, counts = np.unique(codes, return_counts=True)
    rows, columns = np.divmod(codes, n_items)
    degree = np.bincount(rows, weights=counts, minlength=n_items)
    scale = 1.0 / np.sqrt(np.maximum(degree, 1.0))
    weights = counts * scale[rows] * scale[columns]
    return {
        "graph_rows": rows.astype(np.int64),
        "graph_columns": columns.astype(np.int64),
        "graph_weights": weights.astype(np.float32),
    }
