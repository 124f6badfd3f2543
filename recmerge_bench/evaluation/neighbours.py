"""Sparse item-to-item weights for counting models, in numpy alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split

#: Pairs that are held at once.
_PAIRS = 4_000_000


def training_parts(
    split: Split, catalogue: Catalogue, domains: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Training sequences of these domains, mixed ones as they are: offsets, items."""
    if (split.sequences.domains < 0).any():
        return split.sequences.training()
    parts = [split.sequences.training(catalogue.domains.index(name)) for name in domains]
    lengths = np.concatenate([np.diff(offsets) for offsets, _ in parts])
    items = np.concatenate([items for _, items in parts])
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), items


def consecutive_pairs(offsets: np.ndarray, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(event, next event) of all sequences: int64 [P] each."""
    inner = np.ones(max(len(items) - 1, 0), bool)
    borders = offsets[1:-1]
    inner[borders[(borders > 0) & (borders < len(items))] - 1] = False
    return items[:-1][inner].astype(np.int64), items[1:][inner].astype(np.int64)


def pair_blocks(offsets: np.ndarray, items: np.ndarray) -> Iterator[np.ndarray]:
    """Ordered pairs of different items of one sequence, each counted once a sequence.

    Args:
        offsets: int64 [S + 1].
        items: int32 [N]; repeats within a sequence count once.

    Yields:
        int64 [P, 2], of whole sequences.
    """
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    unique = np.unique(owner * (int(items.max(initial=0)) + 1) + items)
    owner, items = np.divmod(unique, int(items.max(initial=0)) + 1)
    sizes = np.bincount(owner, minlength=len(offsets) - 1)
    starts = np.cumsum(sizes) - sizes
    ends = np.cumsum(sizes**2)
    first = 0
    while first < len(sizes):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
        n = np.repeat(sizes[first:last], sizes[first:last])
        left = np.arange(starts[first], starts[first] + len(n))
        base = np.repeat(starts[first:last], sizes[first:last])
        within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        pairs = np.stack([items[np.repeat(left, n)], items[np.repeat(base, n) + within]], 1)
        yield pairs[pairs[:, 0] != pairs[:, 1]]
        first = last


def counted(blocks: Iterator[np.ndarray], n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct pairs and how often each came: codes ``a * n_items + b`` int64 [K], int64 [K]."""
    codes, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for pairs in blocks:
        new, times = np.unique(pairs[:, 0] * n_items + pairs[:, 1], return_counts=True)
        merged, inverse = np.unique(np.concatenate([codes, new]), return_inverse=True)
        counts = np.bincount(
            inverse, weights=np.concatenate([counts, times]), minlength=len(merged)
        ).astype(np.int64)
        codes = merged
    return codes, counts


def keep_strongest(
    codes: np.ndarray, weights: np.ndarray, catalogue: Catalogue, domain: str, k: int
) -> dict[str, np.ndarray]:
    """Rows of the k heaviest neighbours in one domain.

    Args:
        codes: as `counted` gives them.
        weights: float [K]; ties go to the smaller item number.
        catalogue: the items.
        domain: of the neighbours.
        k: at most so many for each item; 0: all.

    Returns:
        ``indptr.<domain>`` int64 [I + 1] by source item, ``column.<domain>`` int32 (item within
        the domain) and ``weight.<domain>`` float32.
    """
    source, column = np.divmod(codes, catalogue.n_items)
    span = catalogue.span(domain)
    inside = (column >= span.start) & (column < span.stop)
    source, column, weights = source[inside], column[inside] - span.start, weights[inside]
    order = np.lexsort((column, -weights, source))
    source, column, weights = source[order], column[order], weights[order]
    sizes = np.bincount(source, minlength=catalogue.n_items)
    place = np.arange(len(source)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = place < k if k > 0 else np.ones(len(place), bool)
    sizes = np.bincount(source[kept], minlength=catalogue.n_items)
    return {
        f"indptr.{domain}": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        f"column.{domain}": column[kept].astype(np.int32),
        f"weight.{domain}": weights[kept].astype(np.float32),
    }


def add_rows(
    out: np.ndarray,
    state: Mapping[str, np.ndarray],
    domain: str,
    rows: np.ndarray,
    items: np.ndarray,
    factors: np.ndarray,
) -> None:
    """Add neighbours' weights to scores: ``out[rows] += factors * weights of items``.

    Args:
        out: float [B, items of the domain], C-contiguous, changed in place.
        state: what `keep_strongest` gave.
        domain: of the neighbours.
        rows: int64 [M], rows of `out`.
        items: int64 [M], source items.
        factors: float [M].
    """
    indptr = state[f"indptr.{domain}"]
    sizes = indptr[items + 1] - indptr[items]
    at = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes - indptr[items], sizes)
    cells = np.repeat(rows, sizes) * out.shape[1] + state[f"column.{domain}"][at]
    values = np.repeat(factors, sizes) * state[f"weight.{domain}"][at]
    np.add.at(out.reshape(-1), cells, values.astype(out.dtype))
