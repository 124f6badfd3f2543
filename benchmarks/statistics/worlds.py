"""Simulated NDCG@10 of two methods by seed and user: many zeros, few values, skewed.

A latent score makes a target's rank: what all share for a user, what a method has with a user,
what a training run (seed) does to all users of a method, and what it does to single users. Both
methods are drawn alike, so that without a lift their true difference is exactly 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recmerge_bench.evaluation.metrics import ndcg

#: Standard deviations of the latent score, and the level that leaves about 8 % hits.
USER, TASTE, JITTER, LEVEL = 1.5, 0.8, 0.6, 4.8


@dataclass(frozen=True)
class World:
    """Sizes of a simulated comparison.

    Attributes:
        seeds: S.
        users: U.
        shift: standard deviation of a training run's shift of a whole method, at 2,000 users; it
            shrinks with sqrt(2000 / U), so that seeds matter as much beside the users.
        lift: added to the first method's latent score.
    """

    seeds: int
    users: int
    shift: float = 0.0
    lift: float = 0.0

    def draw(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """NDCG@10 of both methods: float64 [count, S, U] each."""
        shared = rng.standard_normal((count, 1, self.users), np.float32) * USER - LEVEL
        first, second = (self._method(rng, count, shared + up) for up in (self.lift, 0.0))
        return first, second

    def _method(self, rng: np.random.Generator, count: int, shared: np.ndarray) -> np.ndarray:
        shift = self.shift * np.sqrt(2000 / self.users)
        score = rng.standard_normal((count, self.seeds, self.users), np.float32) * JITTER
        score += rng.standard_normal((count, 1, self.users), np.float32) * TASTE + shared
        score += (rng.standard_normal((count, self.seeds, 1)) * shift).astype(np.float32)
        return _NDCG[np.minimum(np.exp(-score), 10.0).astype(np.int64)]


_NDCG = ndcg(np.arange(1, 12, dtype=np.float64), 10)
