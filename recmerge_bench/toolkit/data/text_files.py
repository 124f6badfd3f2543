"""Text files that others made: decoded within bounds, refused with file, line and remedy."""

from __future__ import annotations

import re
from pathlib import Path

from recmerge_bench.errors import DataError, HandledError

#: Bytes of a file, events of a dataset and characters of an id that are read at all.
BYTES, EVENTS, ID = 8 << 30, 100_000_000, 1000
DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*")


def decoded(path: Path, encoding: str = "utf-8") -> str:
    """A file's text, without a byte order mark.

    Raises:
        DataError: it cannot be read, is larger than any data here, or is not in the encoding;
            with the line.
        HandledError: there is no such encoding.
    """
    try:
        if path.stat().st_size > BYTES:
            raise DataError(f"larger than {BYTES >> 30} GiB: split it", path)
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", path) from None
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise HandledError(f"there is no encoding '{encoding}'") from None
    except UnicodeDecodeError as error:
        start = data.rfind(b"\n", 0, error.start) + 1
        raise DataError(
            f"byte {error.start} is not {encoding}; convert the file or name its encoding",
            path,
            data.count(b"\n", 0, start) + 1,
            data.count(b"\t", start, error.start) + 1,
        ) from None


def lines_of(text: str, path: Path) -> list[str]:
    """At least one, without what ends them.

    Raises:
        DataError: there is none, or they end with a carriage return alone.
    """
    if "\r" in text and "\n" not in text:
        raise DataError("lines end with a carriage return alone; end them with a line feed", path)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise DataError("the file is empty", path)
    return lines


def domain_name(text: str) -> str:
    """A text as a domain's name: small letters, digits, hyphens; ``items`` if nothing is left."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-") or "items"


def check_id(token: str, path: Path, line: int, column: str | int | None = None) -> str:
    """An id of a user or an item.

    Raises:
        DataError: it is empty or too long.
    """
    if not token:
        raise DataError("empty id", path, line, column)
    if len(token) > ID:
        raise DataError(
            f"an id of {len(token)} characters; at most {ID} are one", path, line, column
        )
    return token
