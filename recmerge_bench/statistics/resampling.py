"""Two-level bootstrap and sign-flip test, for many comparisons on the same users at once.

Draws are shared by all comparisons of a call and come from generators that a number and a name
seed; each is a matrix product of the users' parts with a block of weights, so that no array of
seeds x users x draws is ever made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.seeds import generator
from recmerge_bench.statistics.components import Parts
from recmerge_bench.statistics.distributions import t_quantile

#: Draws made at once; part of what a seed means, so changing it changes results.
BLOCK = 128


def user_weights(users: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """How often each user is drawn: float64 [block, users], `draws` rows altogether."""
    rng = generator(seed, "users")
    for start in range(0, draws, BLOCK):
        rows = min(BLOCK, draws - start)
        drawn = rng.integers(users, size=(rows, users))
        drawn += np.arange(rows)[:, None] * users
        counts = np.bincount(drawn.ravel(), minlength=rows * users)
        yield counts.reshape(rows, users).astype(np.float64)


def seed_weights(n_seeds: int, draws: int, seed: int) -> np.ndarray:
    """Share of each seed in a draw of as many seeds with replacement: float64 [draws, seeds]."""
    rng = generator(seed, "seeds", n_seeds)
    return rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=draws) / n_seeds


def two_level_bootstrap(
    parts: Sequence[Parts], draws: int = 2000, level: float = 0.95, seed: int = 0,
    widened: bool = True,
) -> np.ndarray:  # fmt: skip
    """Percentile intervals with seeds and users both drawn with replacement (Owen, 2007).

    A percentile interval of S seeds is too narrow: their spread is estimated low by
    sqrt((S - 1) / S) and its tails are not t's. `widened` stretches what a draw of seeds does by
    sqrt(S / (S - 1)) t / z at the level's quantiles (as Hesterberg, 2015, does for one sample).
    The error that seeds and users make together enters twice: the interval is on the wide side
    where that matters.

    Args:
        parts: of the comparisons, [S, G] with the same G.
        draws: number of draws.
        level: of the interval.
        seed: of the draws.
        widened: see above.

    Returns:
        float64 [C, 2], lower and upper.

    Raises:
        HandledError: comparisons of different users.
    """
    tail = (1 - level) / 2
    drawn = bootstrap_draws(parts, draws, seed, level if widened else None)
    return np.quantile(drawn, [tail, 1 - tail], axis=1).T


def bootstrap_draws(
    parts: Sequence[Parts], draws: int, seed: int, stretched: float | None = None
) -> np.ndarray:
    """Resampled differences, float64 [C, draws]; `stretched` at a level as described above."""
    rows = _stacked([p.by_user for p in parts])
    ends = np.cumsum([0] + [len(p.by_seed) for p in parts])
    shares = {n: seed_weights(n, draws, seed) for n in {len(p.by_seed) for p in parts}}
    means = np.empty((len(parts), draws))
    at = 0
    for weights in user_weights(rows.shape[1], draws, seed):
        moved, here = rows @ weights.T, slice(at, at + len(weights))
        at += len(weights)
        for number, part in enumerate(parts):
            share = shares[len(part.by_seed)][here]
            own = moved[ends[number] : ends[number + 1]]
            means[number, here] = np.einsum("ds,sd->d", share, own)
    for number, part in enumerate(parts):
        n, centre = len(part.by_seed), part.by_seed.mean()
        stretch = 1.0 if stretched is None or n < 2 else stretch_of(n, stretched)
        means[number] += centre + stretch * (shares[n] @ (part.by_seed - centre))
    return means


def stretch_of(n_seeds: int, level: float) -> float:
    """By how much a bootstrap of `n_seeds` seeds is too narrow."""
    from scipy.special import ndtri

    quantile = (1 + level) / 2
    wider = t_quantile(quantile, n_seeds - 1) / ndtri(quantile)
    return float(np.sqrt(n_seeds / (n_seeds - 1)) * wider)


def sign_flip(contributions: np.ndarray, draws: int = 10_000, seed: int = 0) -> np.ndarray:
    """Two-sided sign-flip test of a zero mean: float64 [C], (b + 1) / (draws + 1).

    A user's whole contribution changes its sign or not, by a fair coin (Fisher's randomization;
    the count as Phipson and Smyth, 2010, so that p is never 0).

    Args:
        contributions: float64 [C, G], what each user adds to the difference, not centred.
        draws: number of draws.
        seed: of the draws.
    """
    rng, users = generator(seed, "signs"), contributions.shape[1]
    total = contributions.sum(axis=1)
    # Rounding must not tell equal sums apart: in small samples many flips give the same sum.
    least = np.abs(total) - 1e-12 * np.abs(contributions).sum(axis=1)
    beyond = np.zeros(len(contributions), np.int64)
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start) * users
        packed = np.frombuffer(rng.bytes(-(-size // 8)), np.uint8)
        flips = np.unpackbits(packed)[:size].reshape(-1, users)
        sums = 2.0 * (contributions @ flips.T.astype(np.float64)) - total[:, None]
        beyond += (np.abs(sums) >= least[:, None]).sum(axis=1)
    return (beyond + 1.0) / (draws + 1.0)


def _stacked(rows: Sequence[np.ndarray]) -> np.ndarray:
    if len({r.shape[-1] for r in rows}) > 1:
        raise HandledError("comparisons of different users are not resampled together")
    return np.concatenate(rows)
