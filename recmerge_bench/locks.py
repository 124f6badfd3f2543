"""Locks that go with their process, however that ends (``flock``)."""

from __future__ import annotations

import os
from pathlib import Path

from recmerge_bench.errors import HandledError


def lock_at_once(path: Path) -> int | None:
    """Open a file or folder and take its exclusive lock; None if another process has it.

    Args:
        path: a folder, or a file, made if absent.

    Returns:
        The open descriptor: closing it, in every fork that has it, lets the lock go.

    Raises:
        HandledError: this system has no such locks.
    """
    try:
        import fcntl
    except ImportError:
        raise HandledError(
            "this system has no locks of files (flock): running cells and joining submissions "
            "need Linux or macOS"
        ) from None
    how = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, how, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return handle
