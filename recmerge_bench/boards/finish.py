"""The end of a run: records and boards from the manifest and the store, the board on screen."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from recmerge_bench.registry import Registry


def write_board(out: Path, suite: str, registry: Registry, console: Console) -> list[Path]:
    """Write ``OUT/boards`` and ``OUT/records`` of a suite, print the board, return the files."""
    raise NotImplementedError
