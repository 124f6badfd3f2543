"""``--max-memory``: which cells fit, side by side, into what a run may take.

What a cell needs is what like cells of the store took, or else what its stage declares here of
its inputs: a lower bound of what it surely holds at once. A cell that needs more than there is at
all is blocked before it starts. Of the others so many run at a time as fit together, and each is
told its share: ranking makes its blocks of scores that small, and a cell that takes more all the
same is ended by its supervisor and recorded as out of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Cell
from recmerge_bench.running.store import Store
from recmerge_bench.sizes import size_text

#: Anonymous memory of a cell's process before it does anything, with and without torch (measured:
#: `benchmarks/scale`, "before MB").
_TORCH, _PLAIN = 150 << 20, 32 << 20
#: Bytes of each input's files, by its role.
Sizes = Mapping[str, int]
REMEDY = (
    "give more (--max-memory), or make it smaller: fewer experts, a narrower model, or for a "
    "training a smaller batch_size with accumulate"
)


def _models(sizes: Sizes) -> list[int]:
    roles = ("model", "base", "expert")
    return [size for role, size in sizes.items() if role.partition(":")[0] in roles]


def _train(sizes: Sizes) -> int:
    """Weights, gradients and AdamW's two moments, where the model to start from is known."""
    return _TORCH + 4 * sizes.get("base", 0)


def _merge(sizes: Sizes) -> int:
    """All models, and as many again: the matrix of task vectors and what comes of it."""
    return _TORCH + 2 * sum(_models(sizes))


def _rank(sizes: Sizes) -> int:
    """One model at a time, and its item vectors; blocks of scores fit themselves in."""
    return _TORCH + 2 * max(_models(sizes), default=0)


#: Kind of a cell -> bytes that its stage holds at once, of the sizes of its inputs. Stages that
#: are not here read memory-mapped files and need little.
DECLARED: dict[str, Callable[[Sizes], int]] = {
    "train": _train, "merge": _merge, "curve": _merge, "rank": _rank, "validate": _rank,
}  # fmt: skip


class MemoryBound:
    """What the cells of a run may take together, and what those that run have of it.

    Args:
        most: bytes, of all cells that run at a time.
        slots: cells that could run at a time.
        store: that holds finished inputs.
    """

    def __init__(self, most: int, slots: int, store: Store) -> None:
        self.most, self.share, self._store = most, most // max(1, slots), store
        self._taken: dict[str, int] = {}

    def need(self, cell: Cell) -> int:
        """Bytes that a cell needs at least, as far as that is known now."""
        if cell.memory is not None:
            return cell.memory
        if cell.kind not in DECLARED or cell.job["config"].get("counting"):
            return _PLAIN
        return DECLARED[cell.kind](dict(self._sizes(cell)))

    def _sizes(self, cell: Cell) -> Mapping[str, int]:
        sizes = {}
        for role, key in cell.inputs.items():
            try:
                sizes[role] = sum(self._store.record(key)["sizes"].values())
            except (HandledError, KeyError):
                continue  # not done yet, or damaged: nothing is known of it
        return sizes

    def flaw(self, cell: Cell) -> str:
        """Why a cell can never run within the bound; empty where it can, as far as is known."""
        need = self.need(cell)
        if need <= self.most:
            return ""
        return (
            f"needs {size_text(need)} of memory, and the run may take {size_text(self.most)} "
            "(--max-memory)"
        )

    def start(self, cell: Cell) -> int:
        """Bytes that a cell may take from now on; 0: it does not fit beside those that run."""
        part = max(self.share, min(self.need(cell), self.most))
        if sum(self._taken.values()) + part > self.most:
            return 0
        self._taken[cell.key] = part
        return part

    def end(self, key: str) -> None:
        """A cell runs no more."""
        self._taken.pop(key, None)


__all__ = ["DECLARED", "REMEDY", "MemoryBound"]
