"""Numbers as the site holds them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

from recmerge_bench.statistics.distributions import t_quantile

#: Significant digits: a table shows four decimals, a plot three digits.
DIGITS = 6
LEVEL = 0.95


def short(value: float | None) -> float | None:
    """A number to six significant digits; a whole one stays whole."""
    if value is None or isinstance(value, int):
        return value
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def seed_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Student's 95 % interval of the mean over seeds; None below two."""
    if len(values) < 2:
        return None
    half = float(t_quantile((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half
