"""A folder replaced by a changed copy of itself, in one step of the kernel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.files import put_folder
from recmerge_bench.locks import lock_at_once

ASIDE, BEFORE = "joining", "before"


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    """A copy of a folder beside it, which takes its place when the body ends without an error.

    Files are hard links until they are replaced (written aside and renamed: never written into).
    The two folders change places in one call, so that a kill leaves the old one or the new one,
    and maybe a hidden copy beside it, which the next call removes. Where the kernel or the file
    system lacks that call, two renames stand for it, and the next call repairs what a kill between
    them left.

    Raises:
        HandledError: another process is at it, or the folder cannot be moved.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    handle = lock_at_once(folder.parent)
    if handle is None:
        raise HandledError(f"{folder}: another process is changing it; try again")
    try:
        _restore(folder)
        aside = folder.parent / f".{folder.name}.{os.getpid()}.{ASIDE}"
        try:
            if folder.is_dir():
                shutil.copytree(folder, aside, symlinks=True, copy_function=_link)
            else:
                aside.mkdir()
            yield aside
            _swap(aside, folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    finally:
        os.close(handle)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)


def _restore(folder: Path) -> None:
    """Remove or put back what a killed process left."""
    for old in folder.parent.glob(f".{folder.name}.*.{BEFORE}"):
        if folder.exists():
            shutil.rmtree(old)
        else:
            os.rename(old, folder)
    for left in folder.parent.glob(f".{folder.name}.*.{ASIDE}"):
        shutil.rmtree(left)


def _swap(aside: Path, folder: Path) -> None:
    before = folder.parent / f".{folder.name}.{os.getpid()}.{BEFORE}"
    try:
        put_folder(aside, folder, before)
    except OSError as error:
        raise HandledError(f"{folder}: cannot be replaced ({error})") from None
    shutil.rmtree(before, ignore_errors=True)
