"""Task vectors in blocks, for methods that look at them before they merge; and selection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recmerge_bench.errors import HandledError

#: Entries of a block: a block of each of a few models stays in a processor's cache.
BLOCK = 1 << 16
#: Entries of the sample that brackets a threshold.
SAMPLE = 1 << 15


class TaskVectorBlocks:
    """Differences of experts and base over some parameters, block by block, in fp32.

    Args:
        base: the base's tensors.
        experts: of each expert, its tensors in the same order.
        seed: of the merge, for methods that draw.
    """

    def __init__(
        self, base: Sequence[Tensor], experts: Sequence[Sequence[Tensor]], seed: int = 0
    ) -> None:
        self.seed = seed
        self._base = [t.reshape(-1) for t in base]
        self._experts = [[t.reshape(-1) for t in tensors] for tensors in experts]
        self.size = sum(t.numel() for t in self._base)

    def __len__(self) -> int:
        return len(self._experts)

    def of(self, expert: int, step: int = 1) -> Iterator[Tensor]:
        """One expert's task vector, every `step`-th entry; a block is gone when the next comes."""
        room = torch.empty(BLOCK)
        for start, own in zip(self._base, self._experts[expert], strict=True):
            for first in range(0, start.numel(), BLOCK * step):
                part = slice(first, first + BLOCK * step, step)
                if start.dtype == torch.float32:
                    out = room[: len(start[part])]
                    yield torch.sub(own[part], start[part], out=out)
                else:
                    yield own[part].float() - start[part].float()

    def together(self) -> Iterator[Tensor]:
        """All task vectors side by side: float [K, n]."""
        for blocks in zip(*(self.of(k) for k in range(len(self))), strict=True):
            yield torch.stack(blocks)


def kth_largest_magnitude(
    blocks: Callable[[int], Iterator[Tensor]], size: int, count: int
) -> float:
    """The magnitude of the `count`-th largest entry, exactly, without holding the entries.

    A sample brackets it; one pass counts what lies above the bracket and keeps what lies inside.
    A bracket that misses is widened, which costs another pass.

    Args:
        blocks: step -> the vector in blocks, every step-th entry of it.
        size: entries of the vector.
        count: from 1 to `size`.

    Raises:
        HandledError: entries are NaN.
    """
    step = max(1, size // SAMPLE)
    sample = np.concatenate([block.abs().numpy() for block in blocks(step)])
    centre = count / size * len(sample)
    margin = 2.0 * len(sample) ** 0.5  # at least four standard deviations of the sample's quantile
    while True:
        whole = step == 1 or margin >= len(sample)
        high = np.inf if whole else _largest(sample, centre - margin, np.inf)
        low = -1.0 if whole else _largest(sample, centre + margin, -1.0)
        magnitude = _within(blocks, count, low, high)
        if magnitude is not None:
            return magnitude
        if whole:
            raise HandledError("the experts' weights hold NaN")
        margin *= 8


def _largest(values: NDArray[np.float32], place: float, beyond: float) -> float:
    """The value at a place, from 0, of the falling order; `beyond` where there is none."""
    at = len(values) - 1 - int(place)
    return float(np.partition(values, at)[at]) if 0 <= at < len(values) else beyond


def _within(
    blocks: Callable[[int], Iterator[Tensor]], count: int, low: float, high: float
) -> float | None:
    """The `count`-th largest magnitude if it lies in [low, high], else None.

    The ends are counted and not kept: many entries may share one value.
    """
    above = from_high = from_low = 0
    inside = []
    for block in blocks(1):  # numpy counts and picks several times faster than torch
        magnitude = block.abs_().numpy()
        above += int(np.count_nonzero(magnitude > high))
        from_high += int(np.count_nonzero(magnitude >= high))
        from_low += int(np.count_nonzero(magnitude >= low))
        inside.append(magnitude[(magnitude > low) & (magnitude < high)])
    middle = np.concatenate(inside)
    if not above < count <= from_low:
        return None
    if count <= from_high:
        return high
    place = count - from_high
    return _largest(middle, place - 1, low) if place <= len(middle) else low
