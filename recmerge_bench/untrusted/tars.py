"""Tar archives block by block, as they come: plain members in bounds, nothing else is read.

`tarfile` reads the headers that extend others whole, whatever size they claim, and knows links,
sparse files and devices. Here a member is a plain file or none; extended names (pax, GNU) are read
up to `EXTENDED` bytes where they are admitted at all.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.untrusted.paths import shown

BLOCK = 512
CHUNK = 1 << 20
#: What tar writes after its last member: blocks of zeros, up to one record.
TRAILER = 20 * BLOCK
#: Bytes of a header that extends the next one.
EXTENDED = 1 << 16
PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
_GZIP = b"\x1f\x8b"
_LONG, _PAX = b"L", b"x"
#: Members that say something of others or of the archive.
_NOTES = (b"K", b"g")


@dataclass
class Member:
    """A member whose bytes come next.

    Attributes:
        name: as it stands there: not checked.
        size: bytes.
        plain: whether it is a file, and no link, folder or device.
    """

    name: str
    size: int
    plain: bool


class Reader:
    """The members of a tar stream, one after the other.

    Args:
        stream: the bytes of the archive.
        source: its file, for messages.
        extended: whether names may be extended (pax, GNU).
        strict: whether nothing may follow the archive's end.
    """

    def __init__(
        self, stream: IO[bytes], source: Path, extended: bool = False, strict: bool = True
    ) -> None:
        self.stream, self.source = stream, source
        self.extended, self.strict = extended, strict
        self._left = 0

    def __iter__(self) -> Iterator[Member]:
        """Members; what is not read of one is skipped.

        Raises:
            ValueError: no archive.
        """
        extended: dict[str, Any] = {}
        while True:
            self._skip()
            block = self.stream.read(BLOCK)
            if len(block) == BLOCK and not any(block):
                self._end()
                return
            try:
                # a long name's beginning may end within a character
                errors = "surrogateescape" if self.extended else "strict"
                info = tarfile.TarInfo.frombuf(block, "utf-8", errors)
            except tarfile.HeaderError as error:
                raise ValueError(str(error)) from None
            if info.size < 0:
                raise ValueError("a member has a size below 0")
            self._left, self._padding = info.size, -info.size % BLOCK
            if self.extended and info.type in (_LONG, _PAX, *_NOTES):
                extended |= self._extended_fields(info)
                continue
            size = extended.get("size", info.size)
            self._left, self._padding = size, -size % BLOCK
            plain = info.type in PLAIN and not info.linkname
            name = extended.get("name", info.name)
            extended = {}
            yield Member(name, size, plain)

    def read(self, most: int = CHUNK) -> bytes:
        """Up to so many bytes of the member; empty at its end.

        Raises:
            ValueError: the archive ends within it.
        """
        wanted = min(self._left, most)
        if not wanted:
            return b""
        data = self.stream.read(wanted)
        if not data:
            raise ValueError("the archive is cut off")
        self._left -= len(data)
        return data

    def whole(self) -> bytes:
        """All of the member that is left."""
        parts = []
        while data := self.read():
            parts.append(data)
        return b"".join(parts)

    def _extended_fields(self, info: tarfile.TarInfo) -> dict[str, Any]:
        """Name and size that an extended header gives the next member."""
        if info.size > EXTENDED:
            raise ValueError(f"an extended header of {info.size} bytes")
        raw = self.whole()
        if info.type == _LONG:
            return {"name": raw.rstrip(b"\0").decode("utf-8")}
        return _pax(raw) if info.type == _PAX else {}

    def _skip(self) -> None:
        while self.read():
            pass
        left = getattr(self, "_padding", 0)
        if left and len(self.stream.read(left)) != left:
            raise ValueError("the archive is cut off")
        self._padding = 0

    def _end(self) -> None:
        if not self.strict:
            return
        rest = self.stream.read(TRAILER + 1)
        if len(rest) > TRAILER or any(rest):
            raise ValueError("something follows the end of its archive")


def _pax(raw: bytes) -> dict[str, Any]:
    """``LENGTH KEY=VALUE`` lines: path and size."""
    fields: dict[str, Any] = {}
    while raw:
        digits, _, _ = raw.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 6 else 0
        key, sign, value = raw[len(digits) + 1 : length].partition(b"=")
        if not sign or not value.endswith(b"\n"):
            raise ValueError("a pax header that is none")
        if key == b"path":
            fields["name"] = value[:-1].decode("utf-8")
        elif key == b"size":
            if not value[:-1].isdigit() or len(value) > 16:
                raise ValueError("a pax header of no size")
            fields["size"] = int(value)
        raw = raw[length:]
    return fields


@contextmanager
def opened(
    path: Path, what: str, zipped: bool | None = None, extended: bool = False, strict: bool = True
) -> Iterator[Reader]:
    """Read an archive; whatever is wrong with it ends in one line.

    Args:
        path: the file.
        what: what it should be, for the message (``a bundle of records``).
        zipped: whether it is gzipped; None: as its first bytes say.
        extended: see `Reader`.
        strict: see `Reader`.

    Raises:
        DataError: it is no such archive.
    """
    try:
        with open(path, "rb") as file:
            if zipped is None:
                zipped = file.peek(2)[:2] == _GZIP  # type: ignore[attr-defined]
            stream: Any = gzip.GzipFile(fileobj=file, mode="rb") if zipped else file
            yield Reader(stream, path, extended, strict)
    except (OSError, EOFError, zlib.error, UnicodeError, ValueError, OverflowError) as error:
        raise DataError(f"not {what} ({error})", path) from None


def refused(path: Path, name: str, why: str) -> HandledError:
    """The error for a member that is not taken."""
    return HandledError(f"{path}: refuses the entry {shown(name)}: {why}")
