"""Files that a strategy may not read while it works."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recmerge_bench.tiers import IsolationError


@dataclass
class _Watch:
    """What is forbidden while a strategy works; the audit hook outlives it."""

    roots: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    active: bool = False
    opened: list[str] = field(default_factory=list)


_WATCH = _Watch()
_EVENTS = {"open", "os.listdir", "os.scandir"}
_CODE = (".py", ".pyc", ".so")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _WATCH.active or event not in _EVENTS or not arguments:
        return
    path = arguments[0]
    if not isinstance(path, (str, bytes, os.PathLike)):
        return
    full = os.path.realpath(os.fsdecode(path))
    if _below(full, _WATCH.own):
        return
    if _below(full, _WATCH.roots):
        raise IsolationError(f"a merge strategy may not read files of the run or the data: {full}")
    if not full.startswith((sys.prefix, sys.base_prefix)) and not full.endswith(_CODE):
        _WATCH.opened.append(full)


def _below(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root + os.sep) for root in roots)


@contextmanager
def sealed(roots: Sequence[Path], own: Sequence[Path] = ()) -> Iterator[list[str]]:
    """Refuse to open or list anything under these folders, for as long as the context lasts.

    Python's own calls alone are seen here: the process that strategies have to themselves
    (`recmerge_bench.running.apart`) is what keeps libraries from files.

    Args:
        roots: folders and files that are refused.
        own: folders and files that are not worth a word, even below a refused one.

    Yields:
        files opened meanwhile, other than code and the Python installation's, for the record.
    """
    if not hasattr(_audit, "installed"):
        sys.addaudithook(_audit)
        _audit.installed = True  # type: ignore[attr-defined]
    _WATCH.roots = tuple(os.path.realpath(r) for r in roots)
    _WATCH.own = tuple(os.path.realpath(r) for r in own)
    _WATCH.opened = []
    _WATCH.active = True
    try:
        yield _WATCH.opened
    finally:
        _WATCH.active = False
