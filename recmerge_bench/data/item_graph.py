"""The graph of items that follow each other in training sequences, in numpy alone."""

from __future__ import annotations

import numpy as np

from recmerge_bench.evaluation.neighbours import consecutive_pairs


def item_graph(offsets: np.ndarray, items: np.ndarray, n_items: int) -> dict[str, np.ndarray]:
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
    before, after = consecutive_pairs(offsets, items)
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
