"""Sparse item-to-item weights for counting models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split

#: Pairs that are held at once: some 100 MB with all that is made of them.
_PAIRS = 500_000


def training_parts(
    split: Split, catalogue: Catalogue, domains: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.integer[Any]]]:
    """Training sequences of these domains, mixed ones as they are: offsets, items."""
    if (split.sequences.domains < 0).any():
        return split.sequences.training()
    parts = [split.sequences.training(catalogue.domains.index(name)) for name in domains]
    lengths = np.concatenate([np.diff(offsets) for offsets, _ in parts])
    items = np.concatenate([items for _, items in parts])
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), items


def consecutive_pairs(
    offsets: NDArray[np.int64], items: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(event, next event) of all sequences: int64 [P] each."""
    inner = np.ones(max(len(items) - 1, 0), bool)
    borders = offsets[1:-1]
    inner[borders[(borders > 0) & (borders < len(items))] - 1] = False
    return items[:-1][inner].astype(np.int64), items[1:][inner].astype(np.int64)


def co_occurrences(
    offsets: NDArray[np.int64], items: NDArray[np.integer[Any]], n_items: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of different items, and how many sequences hold both, a block of first items at a time.

    No more than `_PAIRS` pairs (and those of one item) are held at once, whatever the longest
    history is: a user of 7,387 items has 54 million.

    Args:
        offsets: int64 [S + 1].
        items: int32 [N]; repeats within a sequence count once.
        n_items: of the catalogue.

    Yields:
        codes ``a * n_items + b`` int64 [K], ascending, and counts int64 [K].
    """
    from scipy.sparse import csr_array

    held = csr_array((np.ones(len(items), np.int64), items, offsets), (len(offsets) - 1, n_items))
    held.sum_duplicates()
    held.data[:] = 1
    by_item = held.T.tocsr()
    bound = np.minimum(by_item @ np.diff(held.indptr), n_items)  # pairs that an item can have
    ends, first = np.cumsum(bound), 0
    while first < n_items:
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
        both = (by_item[first:last] @ held).tocoo()
        a, b, counts = both.row.astype(np.int64) + first, both.col.astype(np.int64), both.data
        codes, counts = (a * n_items + b)[a != b], counts[a != b]
        order = np.argsort(codes)
        yield codes[order], counts[order]
        first = last


def keep_strongest(
    codes: NDArray[np.int64], weights: NDArray[Any], catalogue: Catalogue, domain: str, k: int
) -> dict[str, NDArray[Any]]:
    """Rows of the k heaviest neighbours in one domain: `as_rows` of the `strongest`."""
    return as_rows(*strongest(codes, weights, catalogue, domain, k), catalogue, domain)


def strongest(
    codes: NDArray[np.int64], weights: NDArray[Any], catalogue: Catalogue, domain: str, k: int
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The k heaviest neighbours of each item in one domain.

    Args:
        codes: as `co_occurrences` gives them; all of an item's.
        weights: float [K]; ties go to the smaller item number.
        catalogue: the items.
        domain: of the neighbours.
        k: at most so many for each item; 0: all.

    Returns:
        Their codes and weights, by item and falling weight.
    """
    source, column = np.divmod(codes, catalogue.n_items)
    span = catalogue.span(domain)
    inside = (column >= span.start) & (column < span.stop)
    source, column, weights = source[inside], column[inside], weights[inside]
    order = np.lexsort((column, -weights, source))
    source, column, weights = source[order], column[order], weights[order]
    sizes = np.bincount(source, minlength=catalogue.n_items)
    place = np.arange(len(source)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    kept = place < k if k > 0 else np.ones(len(place), bool)
    return (source * catalogue.n_items + column)[kept], weights[kept]


def as_rows(
    codes: NDArray[np.int64], weights: NDArray[Any], catalogue: Catalogue, domain: str
) -> dict[str, NDArray[Any]]:
    """Neighbours in one domain, sorted by their items, as a model's state.

    Returns:
        ``indptr.<domain>`` int64 [I + 1] by source item, ``column.<domain>`` int32 (item within
        the domain) and ``weight.<domain>`` float32.
    """
    source, column = np.divmod(codes, catalogue.n_items)
    sizes = np.bincount(source, minlength=catalogue.n_items)
    return {
        f"indptr.{domain}": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        f"column.{domain}": (column - catalogue.span(domain).start).astype(np.int32),
        f"weight.{domain}": weights.astype(np.float32),
    }


def add_rows(
    out: NDArray[np.float32],
    state: Mapping[str, NDArray[Any]],
    domain: str,
    rows: NDArray[np.int64],
    items: NDArray[np.integer[Any]],
    factors: NDArray[Any],
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
