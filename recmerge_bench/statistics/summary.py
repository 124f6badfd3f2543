"""Means over seeds with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recmerge_bench.statistics.distributions import t_quantile


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of the mean over seeds; None below two."""
    if len(values) < 2:
        return None
    at, array = float(np.mean(values)), np.asarray(values, np.float64)
    quantile = float(t_quantile((1 + level) / 2, len(array) - 1))
    half = quantile * float(array.std(ddof=1)) / float(np.sqrt(len(array)))
    return at - half, at + half
