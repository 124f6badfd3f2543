"""Metrics of one relevant item per instance, as functions of its rank; means by group.

A rank is made of two counts, so that ties are decided here and not by a sort: a model that scores
every item alike gets the middle rank, never the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Ties = Literal["mid", "optimistic"]


def rank(n_better: np.ndarray, n_equal: np.ndarray, ties: Ties = "mid") -> np.ndarray:
    """Rank of the target, 1 is best: float64 [T].

    Args:
        n_better: integers [T], candidates scored above the target.
        n_equal: integers [T], candidates scored exactly as the target (itself left out).
        ties: ``mid`` is ``1 + better + equal / 2``; ``optimistic`` is ``1 + better``, as
            published code often has it.

    Raises:
        ValueError: `ties` is neither.
    """
    if ties == "mid":
        return 1.0 + np.asarray(n_better, np.float64) + 0.5 * np.asarray(n_equal, np.float64)
    if ties == "optimistic":
        return 1.0 + np.asarray(n_better, np.float64)
    raise ValueError(f"ties must be 'mid' or 'optimistic', not {ties!r}")


def hit(ranks: np.ndarray, k: int | None) -> np.ndarray:
    """HR@k, which is Recall@k with one relevant item: 1.0 where ``rank <= k``; float64 [T].

    Raises:
        ValueError: without a cut-off.
    """
    if k is None:
        raise ValueError("HR and Recall need a cut-off, as in HR@10")
    return (ranks <= k).astype(np.float64)


def ndcg(ranks: np.ndarray, k: int | None) -> np.ndarray:
    """NDCG@k with one relevant item: ``1 / log2(rank + 1)`` where ``rank <= k``; float64 [T].

    Without a cut-off the sum runs over the whole ranking.
    """
    return _cut(1.0 / np.log2(ranks + 1.0), ranks, k)


def mrr(ranks: np.ndarray, k: int | None) -> np.ndarray:
    """Reciprocal rank, float64 [T]; with a cut-off, 0 beyond it (RecBole's MRR@k)."""
    return _cut(1.0 / ranks, ranks, k)


def _cut(values: np.ndarray, ranks: np.ndarray, k: int | None) -> np.ndarray:
    values = values.astype(np.float64)
    return values if k is None else np.where(ranks <= k, values, 0.0)


def group_means(
    values: np.ndarray, groups: np.ndarray, n_groups: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each group and its size.

    Args:
        values: float [T].
        groups: integers [T] in ``0 .. n_groups - 1``.
        n_groups: number of groups.

    Returns:
        float64 [n_groups] (NaN where a group is empty) and int64 [n_groups].
    """
    counts = np.bincount(groups, minlength=n_groups)
    sums = np.bincount(groups, weights=values, minlength=n_groups)
    means = np.full(n_groups, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means, counts


def length_bins(lengths: np.ndarray, edges: Sequence[int] = (5, 10, 20, 50)) -> np.ndarray:
    """User group by history length: int64 [T].

    Group g holds the lengths ``edges[g - 1] <= length < edges[g]``.
    """
    return np.searchsorted(np.asarray(edges), lengths, side="right")


def popularity_bins(
    counts: np.ndarray, targets: np.ndarray, shares: Sequence[float] = (0.2, 0.8)
) -> np.ndarray:
    """Item group of each target by popularity in training: int64 [T], 0 is the head.

    Args:
        counts: integers [I], training events of each item.
        targets: integers [T], items.
        shares: cumulative shares of the training events at which a group ends: with
            ``(0.2, 0.8)`` the head's items draw the first 20 % of all events.
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]]) / max(int(counts.sum()), 1)
    group = np.empty(len(counts), np.int64)
    group[order] = np.searchsorted(np.asarray(shares), before, side="right")
    return group[targets]
