"""Sampled negatives: drawn once, distinct, outside the user's whole history, stored and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.seeds import philox

CELLS = 1 << 24  # of the table of a block, 4 bytes each
MOST_ROWS = 1024  # so that a step's row of the table stays in the cache


def draw(
    split: Split,
    instances: Instances,
    catalogue: Catalogue,
    n: int,
    seed: int,
    capped: bool = False,
) -> np.ndarray:
    """Uniform negatives from the target's domain, without replacement.

    Excluded is every event of the user in that domain, in any sequence of the split (history,
    validation and test targets). What an instance gets depends on the seed, its user and its
    target alone, not on the order or the number of instances, nor on the machine or the version
    of numpy (which promises the raw stream of Philox and not what `Generator.choice` makes of it).

    Args:
        split: all sequences; they say what each user has met.
        instances: targets to draw for.
        catalogue: the items.
        n: negatives of each target, at least 1.
        seed: not negative.
        capped: where a user has fewer than `n` free items in a domain, draw only so many for all
            targets of all domains, so that they are ranked alike.

    Returns:
        int32 [T, n], global items, ascending in each row; fewer columns where `capped` made it so.

    Raises:
        DataError: a user has fewer than `n` free items in the domain.
        HandledError: `n` or `seed` is out of range.
    """
    if n < 1 or seed < 0:
        raise HandledError(f"cannot draw {n} negatives with the seed {seed}")
    pools = [_Pool(split, instances, catalogue, name) for name in catalogue.domains]
    pools = [pool for pool in pools if len(pool.rows)]
    for pool in pools:
        pool.refuse_below(1 if capped else n)
    n = min([n, *(int(pool.free.min()) for pool in pools)])
    drawn = np.empty((len(instances), n), np.int32)
    for pool in pools:
        _draw_from(pool, instances.targets, _Streams(seed), drawn)
    return drawn


def _draw_from(pool: _Pool, targets: np.ndarray, streams: _Streams, drawn: np.ndarray) -> None:
    """Fill the rows of a pool's targets: `drawn` is [T, n] as in `draw`, `targets` int32 [T]."""
    for some in _blocks(len(pool.rows), pool.size):
        users, rows = pool.users[some], pool.rows[some]
        raw = streams.uniform(users, targets[rows], drawn.shape[1])
        picks = _without_replacement(raw, pool.free[some])
        for row, user, picked in zip(rows, users, picks, strict=True):
            drawn[row] = pool.items(user, picked)


class _Pool:
    """A domain's items, the instances that ask for them, and what each user has left of them."""

    def __init__(
        self, split: Split, instances: Instances, catalogue: Catalogue, domain: str
    ) -> None:
        span = catalogue.span(domain)
        self.domain, self.start, self.size = domain, span.start, span.stop - span.start
        self.rows = np.flatnonzero(instances.domains == catalogue.domains.index(domain))
        self.users = instances.users[self.rows].astype(np.int64)
        self.offsets, self.seen = _seen(split, span)
        self.free = self.size - (self.offsets[self.users + 1] - self.offsets[self.users])

    def refuse_below(self, n: int) -> None:
        """Raise the `DataError` that `draw` promises."""
        if self.free.min() < n:
            raise DataError(
                f"domain '{self.domain}' has fewer than {n} free items for "
                f"{len(np.unique(self.users[self.free < n]))} of {len(np.unique(self.users))} "
                f"users; the protocol can sample at most {int(self.free.min())}"
            )

    def items(self, user: int, picked: np.ndarray) -> np.ndarray:
        """Global items of a user's free items, counted from 0."""
        taken = self.seen[self.offsets[user] : self.offsets[user + 1]]
        # the i-th free item lies behind as many taken ones as are not above it
        shift = np.searchsorted(taken - np.arange(len(taken)), picked, side="right")
        return np.asarray(picked + shift + self.start)


class _Streams:
    """Random numbers addressed by (user, target): Philox, its counter set to them."""

    def __init__(self, seed: int) -> None:
        self.bits = philox(seed)
        self.state = self.bits.state

    def uniform(self, users: np.ndarray, targets: np.ndarray, n: int) -> np.ndarray:
        """float64 [T, n] in [0, 1), multiples of 2**-53."""
        raw = np.empty((len(users), n), np.uint64)
        for row, (user, target) in enumerate(zip(users, targets, strict=True)):
            self.state["state"]["counter"] = np.array([0, 0, target, user], np.uint64)
            self.bits.state = self.state
            raw[row] = self.bits.random_raw(n)
        return np.asarray((raw >> np.uint64(11)) * 2.0**-53)


def _blocks(rows: int, size: int) -> Iterator[slice]:
    """Slices of the rows, so that a table of (size, rows) stays below `CELLS`."""
    step = max(1, min(MOST_ROWS, CELLS // size))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _without_replacement(uniform: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The first steps of Fisher and Yates's shuffle, all rows at once.

    Args:
        uniform: float64 [T, n] in [0, 1).
        free: int64 [T]; row r picks among ``0 .. free[r] - 1``, at least n.

    Returns:
        int32 [T, n], distinct and ascending in each row.
    """
    rows, n = uniform.shape
    deck = np.repeat(np.arange(free.max(), dtype=np.int32)[:, None], rows, axis=1)
    columns = np.arange(rows)
    for step, u in enumerate(np.ascontiguousarray(uniform.T)):
        other = step + (u * (free - step)).astype(np.int64)
        picked = deck[other, columns]
        deck[other, columns] = deck[step]
        deck[step] = picked
    return np.sort(np.ascontiguousarray(deck[:n].T), axis=1)


def _seen(split: Split, span: slice) -> tuple[np.ndarray, np.ndarray]:
    """Distinct items of a domain that each user has met, ascending, counted from the domain's
    first item: offsets int64 [U + 1] by user number, items int64."""
    sequences = split.sequences
    owner = np.repeat(np.asarray(sequences.users, np.int64), np.diff(sequences.offsets))
    items = np.asarray(sequences.items, np.int64)
    inside = (items >= span.start) & (items < span.stop)
    size = span.stop - span.start
    pairs = np.unique(owner[inside] * size + items[inside] - span.start)
    n_users = int(sequences.users.max()) + 1
    counts = np.bincount(pairs // size, minlength=n_users)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), pairs % size


def candidate_hash(candidates: np.ndarray, instances: Instances) -> str:
    """SHA-256 over targets and candidates: two boards that agree in it ranked the same sets."""
    digest = hashlib.sha256()
    for array in (instances.users, instances.targets, candidates):
        digest.update(np.ascontiguousarray(array, np.int32).tobytes())
    return digest.hexdigest()
