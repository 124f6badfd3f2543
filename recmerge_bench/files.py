"""Files and folders written whole or not at all: beside their place first, then renamed."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HERE = -100  # AT_FDCWD: paths are from the working directory
_EXCHANGE = 2  # RENAME_EXCHANGE


def aside_of(path: Path, ending: str) -> Path:
    """A hidden place beside `path` that no other writer has.

    The process's number is not enough: other machines that share the folder count from 1 as well,
    and threads share one.
    """
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.{ending}")


@contextmanager
def written_aside(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """A hidden place beside `path` to write to; it takes the path's name if the body ends well.

    Args:
        path: the file; its folder is made if absent. A file that is there is replaced.
        durable: whether the bytes are on the disk before the name is, so that a power failure
            leaves the old file or the new one as a kill of the process does anyway.

    Yields:
        Where to write; nothing of it is left if the body raises.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path, "tmp")
    try:
        yield aside
        if durable:
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all; `durable`: see `written_aside`."""
    with written_aside(path, durable=durable) as aside:
        aside.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 whole or not at all; line ends stay as they are."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON, keys sorted, whole or not at all."""
    write_text(path, json.dumps(value, sort_keys=True, indent=1) + "\n")


def put_folder(aside: Path, folder: Path, before: Path) -> None:
    """Give a folder that was written aside its name.

    Where kernel and file system can, the two change places in one call, so that a kill leaves the
    old one or the new one under the name; else two renames stand for it.

    Args:
        aside: the new folder, on the same file system.
        folder: the name; nothing or a folder is there.
        before: a free name for the old one. It is there or at `aside` in the end, and the caller
            removes both.

    Raises:
        OSError: it cannot be moved; the old one has its name.
    """
    if not folder.exists():
        os.rename(aside, folder)
    elif not _exchange(aside, folder):
        os.rename(folder, before)
        try:
            os.rename(aside, folder)
        except OSError:
            os.rename(before, folder)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders atomically; False where that is not to be had here."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # TypeError: on Windows
        return False
    return bool(call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
