"""The order of an epoch: a function of (seed, epoch) alone, so that a resumed run repeats it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recmerge_bench.data.sequences import Batch
from recmerge_bench.errors import DataError
from recmerge_bench.seeds import of_epoch
from recmerge_bench.training.windows import Windows, cut_windows

#: Batches whose windows are sorted by length together, to skip padding.
POOL = 16


@dataclass(frozen=True)
class Stream:
    """Training sequences whose windows share batches.

    Attributes:
        scope: domains whose items compete.
        offsets: int64 [S + 1].
        items: int32 [N].
    """

    scope: tuple[str, ...]
    offsets: np.ndarray
    items: np.ndarray

    @property
    def n_targets(self) -> int:
        """Targets of one epoch."""
        return int(np.maximum(np.diff(self.offsets) - 1, 0).sum())


@dataclass(frozen=True)
class Planned:
    """One batch of the plan: windows of one stream."""

    scope: tuple[str, ...]
    windows: Windows
    rows: np.ndarray

    def halves(self) -> list[tuple[Planned, float]]:
        """Its windows in two batches, each with its share of the events; a single one is whole."""
        parts = [p for p in np.array_split(self.rows, 2) if len(p)]
        sizes = [float(self.windows.lengths[part].sum()) for part in parts]
        return [
            (Planned(self.scope, self.windows, part), size / sum(sizes))
            for part, size in zip(parts, sizes, strict=True)
        ]

    def load(self, device: torch.device, generator: torch.Generator) -> Batch:
        """Gather the events; padding holds item 0."""
        lengths = self.windows.lengths[self.rows]
        size = int(lengths.max())
        steps = np.arange(size)
        at = self.windows.starts[self.rows][:, None] + steps
        inside = steps < lengths[:, None]
        at = np.where(inside, at, 0)
        inputs = np.where(inside, self.windows.items[at], 0)
        targets = np.where(inside, self.windows.items[at + 1], 0)
        items, following, sizes = (
            torch.from_numpy(a.astype(np.int64)).to(device) for a in (inputs, targets, lengths)
        )
        return Batch(items, following, sizes, self.scope, generator, {})


def plan_epoch(
    streams: Sequence[Stream],
    max_len: int,
    size: int,
    tokens: int,
    seed: int,
    epoch: int,
    mix: str = "proportional",
    batching: str = "length",
) -> list[Planned]:
    """Batches of one epoch, in order.

    Each stream's windows are shuffled, put into batches as `batching` says, and the batches
    shuffled again; streams are then put together as `mix` says.

    Args:
        streams: see `Stream`.
        max_len: longest window.
        size: windows in a batch.
        tokens: targets in a batch; where positive, it replaces `size`.
        seed: of the training.
        epoch: from 0.
        mix: ``proportional``: interleaved evenly, each stream once; ``balanced``: interleaved,
            each stream with as many batches (small ones several times over, large ones in part);
            ``sequential``: one stream after the other.
        batching: ``length``: windows are sorted by length within pools of `POOL` batches before
            they are put into batches, to skip padding; ``random``: they are not.

    Raises:
        DataError: no sequence has two events.
    """
    pool = POOL if batching == "length" else 0
    parts: list[list[Planned]] = []
    keys: list[np.ndarray] = []
    for number, stream in enumerate(streams):
        generator = of_epoch(seed, epoch, number)
        parts.append(_batches(stream, max_len, size, tokens, pool, generator))
        keys.append(generator.random(len(parts[-1])))
    if not any(parts):
        raise DataError("no training sequence has two events: nothing to learn from")
    if mix == "sequential":
        return [batch for part in parts for batch in part]
    if mix == "balanced":
        share = -(-sum(map(len, parts)) // len(parts))
        for number, stream in enumerate(streams):
            generator = of_epoch(seed, epoch, number, again=True)
            while 0 < len(parts[number]) < share:
                parts[number] += _batches(stream, max_len, size, tokens, pool, generator)
            parts[number] = parts[number][:share]
            keys[number] = generator.random(len(parts[number]))
    return _interleaved(parts, keys)


def _interleaved(parts: Sequence[Sequence[Planned]], keys: Sequence[np.ndarray]) -> list[Planned]:
    """The parts' batches, each part evenly over the whole; `keys` in [0, 1) shift each batch."""
    places = [(np.arange(len(k)) + k) / max(len(k), 1) for k in keys]
    order = np.argsort(np.concatenate(places), kind="stable")
    planned = [batch for part in parts for batch in part]
    return [planned[i] for i in order]


def _batches(
    stream: Stream,
    max_len: int,
    size: int,
    tokens: int,
    pool: int,
    generator: np.random.Generator,
) -> list[Planned]:
    """One stream's windows, each once."""
    windows = cut_windows(stream.offsets, stream.items, max_len, generator)
    groups = _groups(windows.lengths, size, tokens, pool, generator)
    return [Planned(stream.scope, windows, rows) for rows in groups]


def _groups(
    lengths: np.ndarray, size: int, tokens: int, pool: int, generator: np.random.Generator
) -> list[np.ndarray]:
    """Windows of each batch, in random order; of near-equal lengths where `pool` is not 0."""
    if not len(lengths):
        return []
    if tokens > 0:
        size = max(1, int(tokens / lengths.mean()))
    ordered = generator.permutation(len(lengths))
    if pool:
        pools = np.arange(len(lengths)) // (size * pool)
        ordered = ordered[np.lexsort((lengths[ordered], pools))]
    if tokens > 0:
        batch = (np.cumsum(lengths[ordered]) - 1) // tokens
        bounds = np.flatnonzero(np.diff(batch)) + 1
    else:
        bounds = np.arange(size, len(lengths), size)
    groups = np.split(ordered, bounds)
    return [groups[i] for i in generator.permutation(len(groups))]
