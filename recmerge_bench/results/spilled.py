"""Arrays that are kept in memory, or, from a size on, in a nameless file that is mapped."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np
from numpy.typing import NDArray


class Arrays:
    """Where arrays go while a long file is read.

    Args:
        file: an open binary file that they are appended to; None: memory.
    """

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file

    def kept(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """As `keep`; values that are in memory of their own or in the file already stay there."""
        there = self._file is None or isinstance(values, np.memmap)
        return values if there else self.keep(values)

    def keep(self, values: NDArray[np.int32]) -> NDArray[np.int32]:
        """The same int32 values, in memory of their own or in the file (read-only)."""
        if self._file is None or not len(values):
            return np.array(values, np.int32)
        start = self._file.seek(0, 2)
        np.ascontiguousarray(values, np.int32).tofile(self._file)
        self._file.flush()
        return np.memmap(self._file, np.int32, "r", offset=start, shape=values.shape)


@contextmanager
def arrays(spill: bool) -> Iterator[Arrays]:
    """Memory, or a file in ``$TMPDIR`` that has no name and is gone with the last array in it."""
    if not spill:
        yield Arrays(None)
        return
    with tempfile.TemporaryFile() as file:  # maps outlive its closing
        yield Arrays(file)
