"""SHA-256 of files."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes, read now: what a check has to ask for."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_digest(path: Path) -> str:
    """The same, remembered while the file's size and time stand."""
    stat = path.stat()
    return _remembered(str(path), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _remembered(path: str, size: int, mtime: int) -> str:
    return sha256(Path(path))
