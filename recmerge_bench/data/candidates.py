"""Sampled negatives: drawn once, distinct, outside the user's whole history, stored and hashed."""

from __future__ import annotations

import hashlib

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.errors import DataError


def draw(split: Split, instances: Instances, catalogue: Catalogue, n: int, seed: int) -> np.ndarray:
    """Uniform negatives from the target's domain, without replacement.

    Excluded is every event of the user in that domain, in any sequence of the split (history,
    validation and test targets). What an instance gets depends on the seed, its user and its
    target alone, not on the order or the number of instances.

    Returns:
        int32 [T, n], global items, ascending in each row.

    Raises:
        DataError: a user has fewer than `n` free items in the domain.
    """
    drawn = np.empty((len(instances), n), np.int32)
    for d, name in enumerate(catalogue.domains):
        rows = np.flatnonzero(instances.domains == d)
        if not len(rows):
            continue
        span = catalogue.span(name)
        offsets, seen = _seen(split, span)
        users = instances.users[rows].astype(np.int64)
        free = (span.stop - span.start) - (offsets[users + 1] - offsets[users])
        if free.min() < n:
            raise DataError(
                f"domain '{name}' has fewer than {n} free items for "
                f"{int((free < n).sum())} of {len(rows)} targets; "
                f"the protocol can sample at most {int(free.min())}"
            )
        for row, user, count in zip(rows, users, free, strict=True):
            entropy = (seed, int(user), int(instances.targets[row]))
            rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))
            picks = np.sort(rng.choice(int(count), n, replace=False, shuffle=False))
            taken = seen[offsets[user] : offsets[user + 1]]
            # the i-th free item lies behind as many taken ones as are not above it
            shift = np.searchsorted(taken - np.arange(len(taken)), picks, side="right")
            drawn[row] = picks + shift + span.start
    return drawn


def _seen(split: Split, span: slice) -> tuple[np.ndarray, np.ndarray]:
    """Distinct items of a domain that each user has met, ascending, counted from the domain's
    first item: offsets int64 [U + 2] by user number, items int64."""
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
    found = hashlib.sha256()
    for array in (instances.users, instances.targets, candidates):
        found.update(np.ascontiguousarray(array, np.int32).tobytes())
    return found.hexdigest()
