"""Whether two tables order the same methods alike: rank correlations with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.across import DIGITS, drawn_means, ranks
from recmerge_bench.statistics.claims import LEVEL
from recmerge_bench.statistics.scores import Scores, Units

DRAWS = 1000


@dataclass(frozen=True)
class Correlation:
    """A rank correlation with its bootstrap interval of 95 %."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Agreement:
    """How alike two tables order the same methods by their means over the domains.

    Attributes:
        kendall: tau-b.
        spearman: rho, ties in the middle.
        methods: how many.
        users: of both tables together.
    """

    kendall: Correlation
    spearman: Correlation
    methods: int
    users: int


def agreement(
    first: tuple[Sequence[Scores], Units], second: tuple[Sequence[Scores], Units],
    draws: int = DRAWS, seed: int = 0,
) -> Agreement:  # fmt: skip
    """Rank correlations of the methods' means in two tables.

    Users are drawn once for both tables: who is drawn twice counts twice in either. Methods with
    equally many seeds have the same seeds drawn.

    Args:
        first: scores of the methods, and their instances.
        second: of the same methods, in the same order; other instances of the same users.
        draws: of seeds and users.
        seed: of the draws.

    Raises:
        HandledError: fewer than three methods, or not as many in both.
    """
    count = len(first[0])
    if count < 3 or len(second[0]) != count:
        raise HandledError(f"{count} and {len(second[0])} methods: three or more, the same")
    population = np.union1d(first[1].users, second[1].users)
    means, drawn = zip(
        *(_means(*table, population, draws, seed) for table in (first, second)), strict=True
    )
    return Agreement(
        _correlation(kendall, means, drawn), _correlation(spearman, means, drawn), count,
        len(population),
    )  # fmt: skip


def kendall(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tau-b along the last axis: float [..., M] twice to [...]; 0 where a side ties altogether."""
    a, b = (np.sign(v[..., :, None] - v[..., None, :]) for v in (one, other))
    both = (a * b).sum(axis=(-1, -2))
    return _over(both, np.sqrt((a**2).sum(axis=(-1, -2)) * (b**2).sum(axis=(-1, -2))))


def spearman(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Rho along the last axis: float [..., M] twice to [...]; 0 where a side ties altogether."""
    a, b = (ranks(v) - (v.shape[-1] + 1) / 2 for v in (one, other))
    return _over((a * b).sum(-1), np.sqrt((a**2).sum(-1) * (b**2).sum(-1)))


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    quotient = np.zeros(np.shape(above))
    np.divide(above, below, out=quotient, where=below > 0)
    return quotient


def _means(
    scores: Sequence[Scores], units: Units, population: np.ndarray, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Means over domains and seeds, float64 [M], and their draws, [draws, M]."""
    means = np.array([units.mean(s.values).mean() for s in scores])
    drawn = np.stack(drawn_means(scores, units, draws, seed, population), axis=-1).mean(axis=1)
    return means.round(DIGITS), drawn.round(DIGITS)


def _correlation(
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    means: tuple[np.ndarray, ...],
    drawn: tuple[np.ndarray, ...],
) -> Correlation:
    low, high = np.quantile(statistic(*drawn), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Correlation(float(statistic(*means)), float(low), float(high))
