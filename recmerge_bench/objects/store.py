"""What an object store has to do here: whole objects under names, read and written by those."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from recmerge_bench.errors import HandledError


class StoreError(HandledError):
    """A store does not answer, or refuses: no word about whether an object is there."""


class Mark(NamedTuple):
    """What a listing says of an object.

    Attributes:
        size: bytes.
        tag: another after every write with other bytes (S3's ``ETag``, Google's generation); empty
            where the store has none.
    """

    size: int
    tag: str


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

    def marks(self, prefix: str) -> dict[str, Mark]:
        """Name -> what the listing says of it, of all objects below a prefix.

        Raises:
            StoreError: the store cannot be asked.
        """
        return {name: Mark(size, "") for name, size in self.sizes(prefix).items()}

    def read_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """Name -> bytes of those objects that are there, several at a time where the store can.

        Args:
            sizes: name -> bytes, of a listing; one that was replaced since may come cut off.

        Raises:
            StoreError: the store cannot be asked.
        """
        found = {}
        for name in sizes:
            try:
                found[name] = self.read(name)
            except FileNotFoundError:
                continue
        return found

    @abstractmethod
    def remove(self, name: str) -> None:
        """Take an object away, if it is there.

        Raises:
            StoreError: the store cannot be written.
        """
