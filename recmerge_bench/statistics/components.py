"""Where the uncertainty of a difference comes from: seeds, users, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.scores import Units


@dataclass(frozen=True)
class Components:
    """A mean difference over crossed seeds and users, and squared standard errors of it.

    With D[s, u] = mu + a_s + b_u + e_su, S seeds and U users, the mean has the variance
    A / S + B / U + E / (SU). In the mean squares of the two-way table the three errors are

    - ``seed_variance`` = MS_seed / SU, the seeds' own t-test: expects A / S + E / SU, with S - 1
      degrees;
    - ``users`` = MS_user / SU, the t-test over seed-averaged users: expects B / U + E / SU;
    - ``residual`` = MS_residual / SU: expects E / SU.

    Numbers or arrays of equal shape; `n_seeds` is one number.

    Attributes:
        difference: mean over domains, users and seeds.
        seed_variance: 0 where no seed is drawn.
        users: see above.
        residual: 0 below two seeds.
        n_seeds: S, at least 1.
        users_df: degrees of freedom of `users`.
    """

    difference: Any
    seed_variance: Any
    users: Any
    residual: Any
    n_seeds: int
    users_df: Any

    @property
    def user_effect(self) -> Any:
        """B / U: `users` less `residual`, 0 where that comes out negative."""
        return np.maximum(self.users - self.residual, 0.0)

    @property
    def variance(self) -> Any:
        """Of the mean, resampling seeds and users: ``seed_variance + user_effect``."""
        return self.seed_variance + self.user_effect


@dataclass(frozen=True)
class Parts:
    """A difference taken apart.

    Attributes:
        by_seed: float64 [..., S], the difference of each seed.
        by_user: float64 [..., S, G], what each user adds to it, centred: sums over the users are
            0, and sums of squares are squared standard errors without bias.
        components: what follows from these.
    """

    by_seed: np.ndarray
    by_user: np.ndarray
    components: Components


def take_apart(values: np.ndarray, units: Units) -> Parts:
    """Parts of a difference (or of any one value).

    Args:
        values: float [..., S, T].
        units: the T instances.

    Raises:
        HandledError: a domain has one user: nothing varies there.
    """
    if units.least < 2:
        raise HandledError("a comparison needs two users or more in every domain")
    means = units.domain_means(values)
    shares = np.empty(values.shape)
    for d, columns in enumerate(units.columns):
        users = units.users_by_domain[d]
        scale = np.sqrt(users / (users - 1)) / (len(columns) * len(units.columns))
        shares[..., columns] = (values[..., columns] - means[..., d, None]) * scale
    by_seed, by_user = means.mean(axis=-1), units.by_user(shares)
    df = _users_df(shares.mean(axis=-2), units)
    return Parts(by_seed, by_user, _components(by_seed, by_user, df))


def combined(parts: Sequence[Parts], weights: Sequence[float], value: float) -> Components:
    """Components of a value that is near enough linear in several means (delta method).

    Args:
        parts: of the means, with the same seeds and users.
        weights: the value's derivative by each mean.
        value: where the means are what they are.

    Returns:
        Components with the least of the parts' degrees of freedom.
    """
    by_user = sum(w * p.by_user for w, p in zip(weights, parts, strict=True))
    moved = sum(
        w * (p.by_seed - p.by_seed.mean(-1, keepdims=True))
        for w, p in zip(weights, parts, strict=True)
    )
    df = np.min([p.components.users_df for p in parts], axis=0)
    return _components(value + np.asarray(moved), np.asarray(by_user), df)


def _components(by_seed: np.ndarray, by_user: np.ndarray, users_df: Any) -> Components:
    """Mean squares of the two-way table: [..., S] and [..., S, G]."""
    n_seeds, averaged = by_seed.shape[-1], by_user.mean(axis=-2)
    residual = np.zeros(averaged.shape[:-1])
    spread = np.zeros(averaged.shape[:-1])
    if n_seeds > 1:
        residual = ((by_user - averaged[..., None, :]) ** 2).sum(axis=(-1, -2))
        residual = residual / (n_seeds * (n_seeds - 1))
        spread = by_seed.var(axis=-1, ddof=1) / n_seeds
    return Components(
        by_seed.mean(axis=-1), spread, (averaged**2).sum(axis=-1), residual, n_seeds, users_df
    )


def _users_df(shares: np.ndarray, units: Units) -> np.ndarray:
    """Welch-Satterthwaite over the domains; of one domain its users less one."""
    own = np.stack([(shares[..., c] ** 2).sum(axis=-1) for c in units.columns], axis=-1)
    freedom = np.array(units.users_by_domain) - 1.0
    total = own.sum(axis=-1)
    below = (own**2 / freedom).sum(axis=-1)
    df = np.full(total.shape, freedom.sum())
    np.divide(total**2, below, out=df, where=below > 0)
    return df
