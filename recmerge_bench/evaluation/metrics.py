"""Metrics of one relevant item per instance, as functions of its rank.

A rank is made of two counts, so that ties are decided here and not by a sort: a model that scores
every item alike gets the middle rank, never the first.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

Ties = Literal["mid", "optimistic", "pessimistic"]


def rank(n_better: np.ndarray, n_equal: np.ndarray, ties: Ties = "mid") -> np.ndarray:
    """Rank of the target, 1 is best: float64 [T].

    Args:
        n_better: integers [T], candidates scored above the target.
        n_equal: integers [T], candidates scored exactly as the target (itself left out).
        ties: ``mid`` is ``1 + better + equal / 2``; ``optimistic`` is ``1 + better``, as
            published code often has it; ``pessimistic`` is ``1 + better + equal``.

    Raises:
        ValueError: `ties` is none of these.
    """
    if ties == "mid":
        return 1.0 + np.asarray(n_better, np.float64) + 0.5 * np.asarray(n_equal, np.float64)
    if ties == "optimistic":
        return 1.0 + np.asarray(n_better, np.float64)
    if ties == "pessimistic":
        return 1.0 + np.asarray(n_better, np.float64) + np.asarray(n_equal, np.float64)
    raise ValueError(f"ties must be 'mid', 'optimistic' or 'pessimistic', not {ties!r}")


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
    return _truncated(1.0 / np.log2(ranks + 1.0), ranks, k)


def mrr(ranks: np.ndarray, k: int | None) -> np.ndarray:
    """Reciprocal rank, float64 [T]; with a cut-off, 0 beyond it (RecBole's MRR@k)."""
    return _truncated(1.0 / ranks, ranks, k)


def _truncated(values: np.ndarray, ranks: np.ndarray, k: int | None) -> np.ndarray:
    values = values.astype(np.float64)
    return values if k is None else np.where(ranks <= k, values, 0.0)
