"""Values of one metric by seed and test instance, and differences of two methods."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recmerge_bench.errors import DataError, HandledError


@dataclass(frozen=True)
class Units:
    """The test instances that all methods of a comparison were ranked on.

    Users are drawn, instances are not: instances of one user stand or fall together. Every domain
    has the same weight, however many users it has.

    Attributes:
        domains: integers [T], the instance's domain.
        users: integers [T], its user.
    """

    domains: np.ndarray
    users: np.ndarray

    def __post_init__(self) -> None:
        if self.domains.shape != self.users.shape or self.domains.ndim != 1:
            raise HandledError(
                f"domains {self.domains.shape} and users {self.users.shape} are not one a instance"
            )
        if not len(self.domains):
            raise HandledError("there is no test instance to compare on")

    @classmethod
    def of_users(cls, count: int) -> Units:
        """One domain, `count` users, an instance each."""
        return cls(np.zeros(count, np.int64), np.arange(count))

    def take(self, columns: np.ndarray) -> Units:
        """The chosen instances (indices or a boolean mask), for a domain by itself."""
        return Units(self.domains[columns], self.users[columns])

    @cached_property
    def columns(self) -> list[np.ndarray]:
        """Instances of each domain: integers [T_d], in the order of the domains' numbers."""
        return [np.flatnonzero(self.domains == d) for d in np.unique(self.domains)]

    @cached_property
    def users_by_domain(self) -> list[int]:
        """Number of distinct users of each domain."""
        return [len(np.unique(self.users[c])) for c in self.columns]

    @property
    def least(self) -> int:
        """Number of users of the smallest domain."""
        return min(self.users_by_domain)

    @cached_property
    def user_index(self) -> np.ndarray:
        """int64 [T], the user's number among those present."""
        index: np.ndarray = np.unique(self.users, return_inverse=True)[1]
        return index.astype(np.int64)

    @cached_property
    def n_users(self) -> int:
        """Number of distinct users, G."""
        return int(self.user_index.max()) + 1

    def by_user(self, values: np.ndarray) -> np.ndarray:
        """Sums over each user's instances: [..., T] to [..., G]."""
        if self.n_users == values.shape[-1] and (np.diff(self.user_index) == 1).all():
            return values
        order = np.argsort(self.user_index, kind="stable")
        starts = np.searchsorted(self.user_index[order], np.arange(self.n_users))
        sums: np.ndarray = np.add.reduceat(values[..., order], starts, axis=-1)
        return sums

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean over the domains of the mean over their instances: [..., T] to [...]."""
        means: np.ndarray = self.domain_means(values).mean(axis=-1)
        return means

    def domain_means(self, values: np.ndarray) -> np.ndarray:
        """Mean of each domain: [..., T] to [..., D]."""
        return np.stack([values[..., c].mean(axis=-1) for c in self.columns], axis=-1)


@dataclass(frozen=True)
class Scores:
    """A metric of one method.

    Attributes:
        values: float64 [S, T], a row a seed.
        seeds: names of the rows; None for a method that depends on no seed (then S is 1). Equal
            names mean a shared origin (the same base and experts): such rows are paired.

    Raises:
        HandledError: rows and seeds do not fit.
        DataError: a value is not finite.
    """

    values: np.ndarray
    seeds: tuple[Hashable, ...] | None = None

    def __post_init__(self) -> None:
        rows = 1 if self.seeds is None else len(set(self.seeds))
        if self.values.ndim != 2 or len(self.values) != rows or not rows:
            names = "no seed" if self.seeds is None else f"seeds {self.seeds}"
            raise HandledError(f"values {self.values.shape} with {names}: one row for each seed")
        if not np.isfinite(self.values).all():
            row, column = np.argwhere(~np.isfinite(self.values))[0]
            raise DataError(f"a value is not finite (row {row}, instance {column})")

    def rows(self, seeds: Sequence[Hashable]) -> np.ndarray:
        """float64 [len(seeds), T] in that order; the one row for each where there is no seed."""
        if self.seeds is None:
            return np.broadcast_to(self.values, (max(len(seeds), 1), self.values.shape[1]))
        return self.values[[self.seeds.index(s) for s in seeds]]

    def take(self, columns: np.ndarray) -> Scores:
        """The chosen instances."""
        return Scores(self.values[:, columns], self.seeds)


@dataclass(frozen=True)
class Pair:
    """Two methods on the same instances, row by row the same seed.

    Attributes:
        first: float64 [S, T].
        second: float64 [S, T], the baseline.
        seeds: names of the rows; () where neither method depends on a seed.
    """

    first: np.ndarray
    second: np.ndarray
    seeds: tuple[Hashable, ...]

    @property
    def seeded(self) -> bool:
        """Whether a seed is drawn at all."""
        return bool(self.seeds)


def share_seeds(first: Scores, second: Scores) -> bool:
    """Whether `pair` finds a seed in common, or one of them needs none."""
    if first.seeds is None or second.seeds is None:
        return True
    return not set(first.seeds).isdisjoint(second.seeds)


def pair(first: Scores, second: Scores) -> Pair:
    """Rows of the seeds that both methods have; a method without seeds goes with all of them.

    Raises:
        HandledError: other instances, or no seed in common.
    """
    if first.values.shape[1] != second.values.shape[1]:
        raise HandledError(
            f"{first.values.shape[1]} and {second.values.shape[1]} instances: compare methods "
            "on the same test targets"
        )
    if first.seeds is None or second.seeds is None:
        seeds = first.seeds or second.seeds or ()
    else:
        seeds = tuple(s for s in second.seeds if s in first.seeds)
        if not seeds:
            raise HandledError(f"no seed in common: {first.seeds} and {second.seeds}")
    return Pair(first.rows(seeds), second.rows(seeds), seeds)
