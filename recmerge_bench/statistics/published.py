"""The tests that papers print stars by, under their names, so that the stars can be checked.

All go over the seeds' means and take the users as given. None enters a verdict of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from recmerge_bench.errors import HandledError, near
from recmerge_bench.statistics.distributions import ratio, t_tail


def paired_t_over_seeds(first: np.ndarray, second: np.ndarray) -> float:
    """Two-tailed paired t-test over the seeds' means (MERIT, as far as the paper says).

    Args:
        first: float [S], the metric's mean of each seed.
        second: float [S], or [1] for a method without seeds, taken as constant.
    """
    return float(2.0 * t_tail(abs(_statistic(first, second)), _freedom(first, second)))


def one_tailed_t_over_seeds(first: np.ndarray, second: np.ndarray) -> float:
    """One-tailed: small where the first is larger (MergeRec; methods without seeds constant)."""
    return float(t_tail(_statistic(first, second), _freedom(first, second)))


TESTS: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = MappingProxyType(
    {
        "paired-t-over-seeds": paired_t_over_seeds,
        "one-tailed-t-over-seeds": one_tailed_t_over_seeds,
    }
)


def published_test(name: str, first: np.ndarray, second: np.ndarray) -> float:
    """The p-value of a test by its name.

    Raises:
        HandledError: an unknown name, or seeds that do not pair.
    """
    if name not in TESTS:
        raise HandledError(f"no test '{name}'{near(name, TESTS)}; there are: {', '.join(TESTS)}")
    return TESTS[name](np.asarray(first, np.float64), np.asarray(second, np.float64))


def _differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    sizes = {len(first), len(second)} - {1}
    if len(sizes) != 1:
        raise HandledError(f"{len(first)} and {len(second)} seeds do not pair (two or more do)")
    differences: np.ndarray = first - second
    return differences


def _statistic(first: np.ndarray, second: np.ndarray) -> float:
    differences = _differences(first, second)
    return float(ratio(differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))))


def _freedom(first: np.ndarray, second: np.ndarray) -> int:
    return max(len(first), len(second)) - 1
