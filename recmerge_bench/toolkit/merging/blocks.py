"""Task vectors in blocks, for methods that look at them before they merge; and selection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recmerge_bench.errors import HandledError
from recmerge_bench.toolkit.merging.vectors import working

#: Entries of a block: a block of each of a few models stays in a processor's cache.
BLOCK = 1 << 16
#: Entries of the sample that brackets a threshold.
SAMPLE = 1 << 15


class TaskVectorBlocks:
    """Differences of experts and base over some parameters, block by block, in fp32 or fp64.

    Args:
        base: the base's tensors.
        experts: of each expert, its tensors in the same order.
        seed: of the merge, for methods that draw.
    """

    def __init__(
        self, base: Sequence[Tensor], experts: Sequence[Sequence[Tensor]], seed: int = 0
    ) -> None:
        flat = [t.reshape(-1) for t in base]
        flats = [[t.reshape(-1) for t in tensors] for tensors in experts]
        self._set([len(t) for t in flat], len(flats), flat.__getitem__, lambda k, i: flats[k][i],
                  seed)  # fmt: skip

    @classmethod
    def read(
        cls, sizes: Sequence[int], count: int, base: Callable[[int], Tensor],
        expert: Callable[[int, int], Tensor], seed: int = 0,
    ) -> TaskVectorBlocks:  # fmt: skip
        """Of tensors that are read, or made, each time that they are looked at.

        Args:
            sizes: entries of each tensor.
            count: of experts.
            base: number of a tensor -> the base's [n].
            expert: number of an expert and of a tensor -> its [n].
            seed: of the merge, for methods that draw.
        """
        blocks = cls.__new__(cls)
        blocks._set(sizes, count, base, expert, seed)
        return blocks

    def _set(
        self, sizes: Sequence[int], count: int, base: Callable[[int], Tensor],
        expert: Callable[[int, int], Tensor], seed: int,
    ) -> None:  # fmt: skip
        self._sizes, self._count, self._base, self._expert = sizes, count, base, expert
        self.size, self.seed = sum(sizes), seed

    def __len__(self) -> int:
        return self._count

    def of(self, expert: int, step: int = 1) -> Iterator[Tensor]:
        """One expert's task vector, every `step`-th entry; a block is gone when the next comes."""
        room = torch.empty(BLOCK)
        for number, size in enumerate(self._sizes):
            start, own = self._base(number), self._expert(expert, number)
            single = start.dtype == own.dtype == torch.float32
            for first in range(0, size, BLOCK * step):
                part = slice(first, first + BLOCK * step, step)
                if single:
                    out = room[: len(start[part])]
                    yield torch.sub(own[part], start[part], out=out)
                else:
                    yield working(own[part]) - working(start[part])

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
        high, low = (np.inf, -1.0) if whole else _bracket(sample, centre - margin, centre + margin)
        magnitude = _within(blocks, count, low, high)
        if magnitude is not None:
            return magnitude
        if whole:
            raise HandledError("the experts' weights hold NaN")
        margin *= 8


def _largest(values: NDArray[np.floating[Any]], place: float, beyond: float) -> float:
    """The value at a place, from 0, of the falling order; `beyond` where there is none."""
    at = len(values) - 1 - int(place)
    return float(np.partition(values, at)[at]) if 0 <= at < len(values) else beyond


def _bracket(sample: NDArray[np.floating[Any]], first: float, last: float) -> tuple[float, float]:
    """`_largest` of both places, infinity and -1 beyond the ends, by one selection."""
    places = [len(sample) - 1 - int(place) for place in (first, last)]
    inside = [place for place in places if 0 <= place < len(sample)]
    parted = np.partition(sample, inside) if inside else sample
    high, low = (
        float(parted[place]) if place in inside else beyond
        for place, beyond in zip(places, (np.inf, -1.0), strict=True)
    )
    return high, low


def _within(
    blocks: Callable[[int], Iterator[Tensor]], count: int, low: float, high: float
) -> float | None:
    """The `count`-th largest magnitude if it lies in [low, high], else None.

    Where many entries share the value of an end, they are counted and not kept.
    """
    above = at_high = at_low = 0
    kept = []
    for block in blocks(1):  # numpy counts and picks several times faster than torch
        magnitude = block.abs_().numpy()
        beyond, reaching = magnitude > high, magnitude >= low
        above += int(np.count_nonzero(beyond))
        inside = np.logical_xor(reaching, beyond, out=reaching)
        if int(np.count_nonzero(inside)) > len(magnitude) // 8:
            at_high += int(np.count_nonzero(magnitude == high))
            at_low += int(np.count_nonzero(magnitude == low)) if low < high else 0
            inside &= (magnitude != high) & (magnitude != low)
        kept.append(magnitude[inside])
    middle = np.concatenate(kept)
    place = count - above
    if not 0 < place <= at_high + len(middle) + at_low:
        return None
    if place <= at_high:
        return high
    return _largest(middle, place - at_high - 1, low)
