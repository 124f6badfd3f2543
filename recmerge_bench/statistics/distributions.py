"""Tails and quantiles of t, and of a mixture of two t; scipy's, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np


def t_tail(x: Any, df: Any) -> Any:
    """P(T > x) of Student's t."""
    from scipy.special import stdtr

    return stdtr(df, np.negative(x))


def t_quantile(level: float, df: Any) -> Any:
    """The x that T leaves behind with probability `level`."""
    from scipy.special import stdtrit

    return stdtrit(df, level)


def mixture_tail(x: Any, weight: Any, df: Any, other: Any) -> Any:
    """P(T > x) where T has `df` degrees with probability `weight`, else `other`."""
    return weight * t_tail(x, df) + (1.0 - np.asarray(weight)) * t_tail(x, other)


def mixture_quantile(level: float, weight: Any, df: Any, other: Any) -> Any:
    """Quantile of that mixture above the median, by bisection to the last bit but few."""
    ends = np.broadcast_arrays(t_quantile(level, df), t_quantile(level, other))
    low, high = np.minimum(*ends), np.maximum(*ends)
    for _ in range(60):
        middle = (low + high) / 2
        above = mixture_tail(middle, weight, df, other) > 1.0 - level
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def ratio(difference: Any, error: Any) -> Any:
    """The t statistic; without any spread 0 for no difference, else infinite."""
    difference, error = np.broadcast_arrays(
        np.asarray(difference, np.float64), np.asarray(error, np.float64)
    )
    t = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    np.divide(difference, error, out=t, where=error > 0)
    return t
