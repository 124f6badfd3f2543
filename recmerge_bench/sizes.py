"""Sizes in bytes as people write them."""

from __future__ import annotations

import re

from recmerge_bench.errors import HandledError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(|KB|MB|GB|TB|KiB|MiB|GiB|TiB|B)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}  # fmt: skip


def bytes_of(text: str | int, what: str) -> int:
    """Bytes of a size such as ``5GB`` or ``500MiB``.

    Args:
        text: the size.
        what: is of that size, for the message: ``--max-memory``.

    Raises:
        HandledError: it is none, or nothing.
    """
    match = _SIZE.fullmatch(str(text).strip())
    size = 0 if match is None else int(float(match[1]) * _UNITS[match[2].lower()])
    if size < 1:
        raise HandledError(f"{what} is a number with a unit such as 5GB, not '{text}'")
    return size


def size_text(size: int) -> str:
    """``1.2 GiB`` or ``340 MiB``."""
    return f"{size / 2**30:.1f} GiB" if size >= 1 << 30 else f"{max(1, round(size / 2**20))} MiB"


__all__ = ["bytes_of", "size_text"]
