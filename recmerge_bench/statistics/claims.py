"""Two claims about one difference: of the models that were trained, and of the methods.

The first asks what new users would say of these very models, the second what new seeds and new
users would. Functions take `Components` of numbers or of arrays, and give the same shape back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from recmerge_bench.statistics.components import Components
from recmerge_bench.statistics.distributions import (
    mixture_quantile,
    mixture_tail,
    ratio,
    t_quantile,
    t_tail,
)

LEVEL = 0.95


@dataclass(frozen=True)
class Claim:
    """A difference with what can be said of it.

    Attributes:
        difference: first minus second.
        error: standard error.
        df: degrees of freedom.
        p: two-sided.
        lower: of the interval.
        upper: of the interval.
    """

    difference: Any
    error: Any
    df: Any
    p: Any
    lower: Any
    upper: Any


@dataclass(frozen=True)
class Studentised:
    """One difference over its error, and the law of that ratio where the difference is none.

    Attributes:
        difference: first minus second.
        error: its standard error, above 0.
        tail: x -> P(T > x).
        quantile: probability -> x, above the median.
    """

    difference: float
    error: float
    tail: Callable[[float], float]
    quantile: Callable[[float], float]

    @property
    def p(self) -> float:
        """Two-sided, of no difference."""
        return 2.0 * self.tail(abs(self.difference) / self.error)

    def equivalence_p(self, margin: float) -> float:
        """Of a difference of `margin` or more: twice the larger of two one-sided p, at most 1.

        It is at most a where the interval of level 1 - a lies within the margin.
        """
        inner = (margin - abs(self.difference)) / self.error
        return min(2.0 * self.tail(inner), 1.0)

    def interval(self, level: float) -> tuple[float, float]:
        """The interval of this level."""
        half = self.error * self.quantile((1 + level) / 2)
        return self.difference - half, self.difference + half


def of_models(components: Components) -> Studentised:
    """What `trained_models` tests, of one difference."""
    df = float(components.users_df)
    return Studentised(
        float(components.difference), float(np.sqrt(components.users)),
        lambda x: float(t_tail(x, df)), lambda level: float(t_quantile(level, df)),
    )  # fmt: skip


def of_methods(components: Components) -> Studentised:
    """What `methods` tests, of one difference."""
    weight, few, other = (
        float(seed_weight(components)),
        _few(components),
        float(components.users_df),
    )
    return Studentised(
        float(components.difference), float(np.sqrt(components.variance)),
        lambda x: float(mixture_tail(x, weight, few, other)),
        lambda level: float(mixture_quantile(level, weight, few, other)),
    )  # fmt: skip


def trained_models(components: Components, level: float = LEVEL) -> Claim:
    """Paired t-test over users whose values are averaged over the seeds.

    Says nothing about other seeds: where seeds matter it rejects too often for the methods.
    """
    return _student(components.difference, np.sqrt(components.users), components.users_df, level)


def seeds_alone(components: Components, level: float = LEVEL) -> Claim:
    """Paired t-test over the seeds' means, as papers have it: the users are taken as all users.

    Raises:
        ValueError: fewer than two seeds.
    """
    if components.n_seeds < 2:
        raise ValueError("a test over seeds needs two of them")
    return _student(
        components.difference, np.sqrt(components.seed_variance), components.n_seeds - 1, level
    )


def satterthwaite_df(components: Components) -> Any:
    """Degrees of freedom of ``variance`` (Satterthwaite, 1946), the estimate of three terms."""
    below = components.users**2 / components.users_df
    if components.n_seeds > 1:
        freedom = components.n_seeds - 1
        below = below + components.seed_variance**2 / freedom
        below = below + components.residual**2 / (freedom * components.users_df)
    top = np.asarray(components.variance, np.float64) ** 2
    df = np.array(np.broadcast_to(np.asarray(components.users_df, np.float64), top.shape))
    np.divide(top, below, out=df, where=(below > 0) & (top > 0))
    return df[()]


def satterthwaite(components: Components, level: float = LEVEL) -> Claim:
    """t-test of the crossed variance with Satterthwaite's degrees of freedom.

    Too liberal far out in the tails and below five seeds; see `methods`.
    """
    return _student(
        components.difference, np.sqrt(components.variance), satterthwaite_df(components), level
    )


def methods(components: Components, level: float = LEVEL) -> Claim:
    """The claim about the methods: resampling seeds and users.

    The variance is ``seed_variance + user_effect``; the first has S - 1 degrees of freedom and the
    second thousands. Satterthwaite puts one t in between, with 1 / df = share² / (S - 1), where
    share is the seeds' part of the variance. With few seeds that t has too thin tails: where the
    seeds' part comes out small by chance, df comes out large. Here a like weight goes to a mixture:
    t with S - 1 degrees with probability share^(2 - 1.5 / (S - 1)), else t with those of the users.
    With many seeds that is Satterthwaite's to first order; further out it is safer, which Holm's
    small levels need. The exponent was chosen so that five seeds and more hold their level at any
    ratio of the variances, and two never exceed it. Measured: benchmarks/statistics/README.md.

    With one row of values this is `trained_models`: right for methods without seeds only.
    `Claim.df` is Satterthwaite's.
    """
    error, weight = np.sqrt(components.variance), seed_weight(components)
    quantile = mixture_quantile((1 + level) / 2, weight, _few(components), components.users_df)
    return Claim(
        components.difference, error, satterthwaite_df(components), methods_p(components),
        components.difference - error * quantile, components.difference + error * quantile,
    )  # fmt: skip


def methods_p(components: Components) -> Any:
    """The p of `methods` alone; of a large array the interval is what takes long."""
    t = np.abs(ratio(components.difference, np.sqrt(components.variance)))
    return 2.0 * mixture_tail(t, seed_weight(components), _few(components), components.users_df)


def _few(components: Components) -> int:
    return max(components.n_seeds - 1, 1)


def seed_weight(components: Components) -> Any:
    """Weight of t with S - 1 degrees in `methods`: share^(2 - 1.5 / (S - 1))."""
    total = np.asarray(components.variance, np.float64)
    share = np.zeros(total.shape)
    np.divide(components.seed_variance, total, out=share, where=total > 0)
    return share ** (2.0 - 1.5 / (components.n_seeds - 1)) if components.n_seeds > 1 else share


def _student(difference: Any, error: Any, df: Any, level: float) -> Claim:
    half = error * t_quantile((1 + level) / 2, df)
    p = 2.0 * t_tail(np.abs(ratio(difference, error)), df)
    return Claim(difference, error, df, p, difference - half, difference + half)
