"""Cells that wait, and which can start: one is looked at when something that it needs is done."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping

from recmerge_bench.planning.cells import Cell


class Waiting:
    """Keys of cells that wait for their inputs or for a slot.

    A step costs the logarithm of their number, so that many cells do not slow each one down.

    Args:
        cells: key -> cell, of all that may wait.
        weights: key -> seconds; of those that can start the heaviest come first.
        is_done: whether a cell's result is there.
    """

    def __init__(
        self, cells: Mapping[str, Cell], weights: Mapping[str, float],
        is_done: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._cells, self._weights, self._is_done = cells, weights, is_done
        self._lacking: dict[str, set[str]] = {}  # of each waiting cell, the inputs not done
        self._users: dict[str, list[str]] = {}
        self._ready: list[tuple[float, str]] = []  # a heap; some may wait no more

    def __contains__(self, key: str) -> bool:
        return key in self._lacking

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._lacking))

    def add(self, keys: Iterable[str]) -> None:
        """These wait from now on."""
        for key in keys:
            lacking = {k for k in self._cells[key].inputs.values() if not self._is_done(k)}
            self._lacking[key] = lacking
            for needed in lacking:
                self._users.setdefault(needed, []).append(key)
            if not lacking:
                self._push(key)

    def discard(self, key: str) -> None:
        """This one waits no more."""
        self._lacking.pop(key, None)

    def finished(self, key: str) -> None:
        """A cell's result is there: what waited for it alone can start."""
        for user in self._users.pop(key, ()):
            lacking = self._lacking.get(user)
            if lacking and key in lacking:
                lacking.discard(key)
                if not lacking:
                    self._push(user)

    def users(self, key: str) -> list[str]:
        """Those that wait for this one's result."""
        return [user for user in self._users.get(key, ()) if user in self._lacking]

    def ready(self) -> Iterator[str]:
        """Those that can start, the heaviest first; whoever starts one discards it.

        One that stays is given again next time.
        """
        stay: list[tuple[float, str]] = []
        seen: set[str] = set()
        try:
            while self._ready:
                entry = heapq.heappop(self._ready)
                key = entry[1]
                if key in seen or self._lacking.get(key, {key}):
                    continue  # it was taken, or has to wait again
                seen.add(key)
                stay.append(entry)
                yield key
        finally:
            for entry in stay:
                if entry[1] in self._lacking:
                    heapq.heappush(self._ready, entry)

    def any_ready(self) -> bool:
        """Whether one can start."""
        for _ in self.ready():
            return True
        return False

    def _push(self, key: str) -> None:
        heapq.heappush(self._ready, (-self._weights[key], key))


__all__ = ["Waiting"]
