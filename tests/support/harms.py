"""What happens to files: a bit flipped, cut off, emptied, deleted, another in its place."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(data))


def truncate(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def empty(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"")


def delete(path: Path, rng: random.Random) -> None:
    path.unlink()


def swap(path: Path, rng: random.Random) -> None:
    """Another file of the store lies in its place."""
    others = sorted(p for p in path.parents[2].rglob("*") if p.is_file() and p != path)
    different = [p for p in others if p.read_bytes() != path.read_bytes()]
    path.write_bytes(rng.choice(different).read_bytes())


HARMS: tuple[Callable[[Path, random.Random], None], ...] = (flip, truncate, empty, delete, swap)
