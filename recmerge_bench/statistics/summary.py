"""Means with their spread, and scores as shares of a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.distributions import t_quantile


@dataclass(frozen=True)
class Spread:
    """Values of the seeds: mean, and sample standard deviation (None of one value)."""

    mean: float
    std: float | None


def spread(values: np.ndarray) -> Spread:
    """Mean and sample standard deviation of values of the seeds, [S]."""
    found = np.asarray(values, np.float64)
    return Spread(float(found.mean()), float(found.std(ddof=1)) if len(found) > 1 else None)


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of the mean over seeds; None below two."""
    if len(values) < 2:
        return None
    at, found = float(np.mean(values)), np.asarray(values, np.float64)
    quantile = float(t_quantile((1 + level) / 2, len(found) - 1))
    half = quantile * float(found.std(ddof=1)) / float(np.sqrt(len(found)))
    return at - half, at + half


@dataclass(frozen=True)
class Normalised:
    """A method's scores as shares of a reference (1 is the reference's own).

    Attributes:
        by_domain: float64 [D].
        ratio_of_means: mean over the domains of the method, divided by that of the reference:
            what MergeRec's tables print as the average. Domains of high scores weigh more.
        mean_of_ratios: mean of `by_domain`. Domains weigh alike.
    """

    by_domain: np.ndarray
    ratio_of_means: float
    mean_of_ratios: float


def normalised(values: np.ndarray, reference: np.ndarray) -> Normalised:
    """Shares of the reference, a domain at a time and both averages.

    Args:
        values: float [D], the method's mean of each domain.
        reference: float [D], such as that domain's own expert's.

    Raises:
        HandledError: other domains, or a reference that is not above zero.
    """
    mine, theirs = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    if mine.shape != theirs.shape or mine.ndim != 1 or not len(mine):
        raise HandledError(f"scores {mine.shape} and reference {theirs.shape}: one a domain")
    if not (theirs > 0).all():
        raise HandledError(f"a reference of {theirs.min():g} cannot be divided by")
    shares = mine / theirs
    return Normalised(shares, float(mine.mean() / theirs.mean()), float(shares.mean()))
