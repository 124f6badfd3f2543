"""What an object store has to do here: whole objects under names, read and written by those."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from recmerge_bench.errors import HandledError


class StoreError(HandledError):
    """A store does not answer, or refuses: no word about whether an object is there."""


class Objects(ABC):
    """Whole objects under names with slashes, such as ``files/ab/abcd``.

    A reader sees an object whole or not at all. Between machines no more than that and what
    `exclusive` says is promised.

    Attributes:
        address: as a person writes it.
        exclusive: whether `put_new` lets one of several writers win, whoever they are. False: the
            store has no conditional writes, and two writers at once may both be told that they won.
    """

    address: str
    exclusive: bool

    @abstractmethod
    def read(self, name: str) -> bytes:
        """An object's bytes.

        Raises:
            FileNotFoundError: there is no such object.
            StoreError: the store cannot be asked.
        """

    @abstractmethod
    def fetch(self, name: str, to: Path) -> None:
        """Write an object's bytes to a new file, a stretch at a time.

        Raises:
            FileNotFoundError: there is no such object.
            StoreError: the store cannot be asked.
        """

    @abstractmethod
    def put(self, name: str, source: Path | bytes) -> None:
        """Give a name these bytes, whatever it had before.

        Raises:
            StoreError: the store cannot be written.
        """

    @abstractmethod
    def put_new(self, name: str, source: Path | bytes) -> bool:
        """Give a name these bytes unless it has some: whether it was given them.

        Raises:
            StoreError: the store cannot be written.
        """

    @abstractmethod
    def size(self, name: str) -> int | None:
        """An object's bytes; None: there is none.

        Raises:
            StoreError: the store cannot be asked.
        """

    @abstractmethod
    def sizes(self, prefix: str) -> dict[str, int]:
        """Name -> bytes of all objects below a prefix (a name of a folder, without a slash).

        Raises:
            StoreError: the store cannot be asked.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take an object away, if it is there.

        Raises:
            StoreError: the store cannot be written.
        """
