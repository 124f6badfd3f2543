"""The finished cells of a mirror within a number of bytes: those that were read longest ago go.

Only what the object store has too lies there, so that nothing is lost. A cell that a running one
reads is pinned by a shared lock of the kernel's, which goes with its process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from recmerge_bench.untrusted.paths import within


@contextmanager
def pinned(out: Path, keys: Iterable[str]) -> Iterator[None]:
    """Within it, no process of this machine trims the mirror of these cells."""
    handles = []
    try:
        for key in keys:
            import fcntl  # not on every system, where no store is a mirror

            handle = _opened(out, key)
            handles.append(handle)
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        for handle in handles:
            os.close(handle)


def trim(out: Path, limit: int, keep: str) -> list[str]:
    """Take cells away, those that were read longest ago first, until the rest fits.

    Args:
        out: the mirror.
        limit: bytes that its finished cells may take.
        keep: key of a cell that stays: it was just brought.

    Returns:
        keys of the cells taken away. More than `limit` may be left, where cells are pinned.
    """
    with suppress(OSError):
        os.utime(within(out / "store", keep[:2], keep))  # read now
    cells = [(p.stat().st_mtime_ns, p, _size(p)) for p in (out / "store").glob("*/*") if p.is_dir()]
    total, gone = sum(size for _, _, size in cells), []
    for _, folder, size in sorted(cells):
        if total <= limit:
            break
        if folder.name != keep and _removed(out, folder):
            total -= size
            gone.append(folder.name)
    return gone


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # another process may be trimming too
            size += path.stat().st_size if path.is_file() else 0
    return size


def _removed(out: Path, folder: Path) -> bool:
    """Take a cell's folder away unless it is pinned."""
    import fcntl

    handle = _opened(out, folder.name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def _opened(out: Path, key: str) -> int:
    path = within(out / "locks", f"{key}.read")
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
