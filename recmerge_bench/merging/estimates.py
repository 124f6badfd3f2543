"""What a merge would take: memory and disk by its sizes, time by merging a part of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from recmerge_bench.definitions import StrategyDefinition
from recmerge_bench.merging.stream import BLOCK, Streamed
from recmerge_bench.toolkit.merging.strategy import ScaledStrategy

#: Entries that are merged to see how long it takes.
REHEARSED = 4 << 20
#: Copies of what a method is handed that it may hold, beside base and experts: its result, the
#: task vectors and what it makes of them.
_COPIES = 3


@dataclass(frozen=True)
class Estimate:
    """What a merge would take.

    Attributes:
        experts: how many.
        tensors: that merge.
        read: bytes that are read at the least.
        written: bytes that are written.
        memory: bytes of the process's own memory at the most, about, beside what Python and torch
            take; mapped files are not in it.
        seconds: about.
        rehearsed: share of the entries that was merged to see that.
    """

    experts: int
    tensors: int
    read: int
    written: int
    memory: int
    seconds: float
    rehearsed: float

    def text(self) -> str:
        """A line."""
        return (
            f"{self.experts} experts, {self.tensors} tensors; reads {_megabytes(self.read)}; "
            f"disk: {_megabytes(self.written)}; memory: about {_megabytes(self.memory)} beside "
            f"Python's own; time: about {self.seconds:,.1f} s (by merging {self.rehearsed:.0%})"
        )


def estimate(source: Streamed, strategy: StrategyDefinition, seed: int, outs: int) -> Estimate:
    """Look at a merge without making it.

    Args:
        source: what is merged.
        strategy: by which.
        seed: as in the merge.
        outs: how many models are written.
    """
    once = strategy
    if isinstance(strategy, ScaledStrategy) and strategy.by_rule():
        once = strategy.at(1.0)
    names = _sample(source)
    total = sum(source.kept[n].numel() for n in source.merged)
    start = time.perf_counter()
    done = source.rehearse(once, names, seed)
    seconds = time.perf_counter() - start
    read, written = source.bytes()
    passes = 1 if once is strategy else 2
    return Estimate(
        len(source.experts), len(source.merged), read * passes, written * outs,
        _memory(source, strategy), seconds * passes * total / max(1, done), done / max(1, total),
    )  # fmt: skip


def _sample(source: Streamed) -> Sequence[str]:
    """Parameters from all over the model, of some `REHEARSED` entries together."""
    total = sum(source.kept[n].numel() for n in source.merged)
    step = max(1, total // REHEARSED)
    names: list[str] = []
    size = 0
    for name in source.merged[::step] or source.merged[:1]:
        if names and size > REHEARSED:
            break
        names.append(name)
        size += source.kept[name].numel()
    return names


def _memory(source: Streamed, strategy: StrategyDefinition) -> int:
    """Bytes that base, experts and what a method makes of them take at once."""
    sizes = [source.kept[n].numel() for n in source.merged]
    scope = "entry" if strategy.prepass_scope() else strategy.scope
    held = {"entry": min(BLOCK, max(sizes)), "tensor": max(sizes), "model": sum(sizes)}[scope]
    widest = max(4, *(source.kept[n].element_size() for n in source.merged))
    return held * widest * (2 * len(source.experts) + 1 + _COPIES)


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
