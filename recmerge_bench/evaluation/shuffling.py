"""Histories in another order: what a ranking owes to the order of events (arXiv 2408.12008)."""

from __future__ import annotations

import numpy as np

from recmerge_bench.borders.models import history_limit
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.evaluation.loaded import FittedModel, Rankable
from recmerge_bench.seeds import philox


def shuffled(
    split: Split, instances: Instances, seed: int, window: int | None = None
) -> tuple[Split, Instances]:
    """The same instances with the events of their histories in random order.

    Every order is equally likely, the true one too. It depends on the seed, the user, the target
    and the history's length alone, not on the other instances.

    Args:
        split: whose sequences hold the histories.
        instances: each gets a sequence of its own: its shuffled history, then its target.
        seed: of the order.
        window: the latest so many events change places among themselves, and so do those before
            them, so that a model that reads no more sees the same items; None: all.

    Returns:
        A split of these sequences alone, whose test part the instances are; nothing of it is
        trained on.
    """
    lengths = instances.position.astype(np.int64)
    row = np.repeat(np.arange(len(instances)), lengths)
    at = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    from_end = lengths[row] - at
    latest = np.ones(len(row), bool) if window is None else from_end <= window
    order = np.lexsort((_keys(instances, seed), latest, row))
    source = split.sequences.offsets[instances.sequence][row] + at
    offsets = np.concatenate([[0], np.cumsum(lengths + 1)]).astype(np.int64)
    items = np.empty(offsets[-1], np.int32)
    items[offsets[1:] - 1] = instances.targets
    items[offsets[:-1][row] + at] = split.sequences.items[source[order]]
    sequences = Sequences(
        offsets,
        items,
        instances.users,
        split.sequences.domains[instances.sequence],
        np.zeros(len(instances), np.int32),
    )
    own = Instances(
        np.arange(len(instances), dtype=np.int32),
        instances.position,
        instances.users,
        instances.domains,
        instances.targets,
    )
    return Split(sequences, own.take(np.zeros(0, np.int64)), own, dict(split.report)), own


def window_of(model: Rankable) -> int | None:
    """How many of the latest events a model is handed; None: all of them."""
    if isinstance(model, FittedModel):
        return None
    return history_limit(model.definition, "encoded_history")


def _keys(instances: Instances, seed: int) -> np.ndarray:
    """A random number for each event of the histories, oldest first: uint64 [N].

    The stream of a user and a target runs from the latest event backwards.
    """
    bits = philox(seed)
    state = bits.state
    parts = []
    for user, target, length in zip(
        instances.users, instances.targets, instances.position, strict=True
    ):
        # The second word keeps these draws apart from those of sampled candidates.
        state["state"]["counter"] = np.array([0, 1, target, user], np.uint64)
        bits.state = state
        parts.append(bits.random_raw(int(length))[::-1])
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)
