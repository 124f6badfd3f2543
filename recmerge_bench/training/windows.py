"""Cutting training sequences into windows, each target in exactly one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Pieces of a flat array of events.

    Window w has the inputs ``items[start .. start + length - 1]`` and the targets one event
    later each; a model that sees both sides reads the ``length + 1`` events of both.

    Attributes:
        items: int32 [N], events of all sequences.
        starts: int64 [W].
        lengths: int64 [W], number of targets, 1 to the model's longest.
    """

    items: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)


def cut_windows(
    offsets: np.ndarray, items: np.ndarray, max_len: int, generator: np.random.Generator
) -> Windows:
    """Windows of one epoch.

    A sequence of n events has the targets 1 .. n - 1. One of more than `max_len` targets is cut
    into consecutive windows, of which the first has a random length and the last what is left,
    so that over the epochs each target is met with contexts of every length.

    Args:
        offsets: int64 [S + 1].
        items: int32 [N].
        max_len: longest window.
        generator: draws the first lengths.
    """
    n_targets = np.maximum(np.diff(offsets) - 1, 0)
    draws = generator.integers(1, max_len + 1, len(n_targets))
    first = np.where(n_targets > max_len, draws, n_targets)
    rest = n_targets - first
    counts = (n_targets > 0) + (rest + max_len - 1) // max_len
    owner = np.repeat(np.arange(len(n_targets)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = np.where(number == 0, 0, first[owner] + (number - 1) * max_len)
    end = np.minimum(first[owner] + number * max_len, n_targets[owner])
    return Windows(items, offsets[:-1][owner] + begin, end - begin)
