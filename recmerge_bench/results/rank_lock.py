"""``ranks.lock.json`` beside records: which ranks belong to them, by hash, and where they are kept.

    {"schema": 1, "store": "s3://bucket/ranks",
     "files": {"quick.ranks.parquet": {"bytes": 155523, "sha256": "..."}}}

A folder of records without such a file is as it was before there were any: its ranks lie beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recmerge_bench import schema_numbers
from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError
from recmerge_bench.files import write_json
from recmerge_bench.objects.address import committed_flaw
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import is_safe

LOCK = "ranks.lock.json"
#: How the name of a file of ranks ends, after the suite's.
END = ".ranks.parquet"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Locked:
    """A file of ranks that records were made of.

    Attributes:
        sha256: of its bytes, hex.
        bytes: that it has.
    """

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Lock:
    """What a lock file says.

    Attributes:
        store: address of the results store; empty: the ranks lie beside the records alone.
        files: name (``quick.ranks.parquet``) -> what the file has to be.
    """

    store: str = ""
    files: dict[str, Locked] = field(default_factory=dict)

    def with_file(self, name: str, locked: Locked | None) -> Lock:
        """The lock with a file, or without it where None."""
        files = {k: v for k, v in self.files.items() if k != name}
        return replace(self, files=files if locked is None else {**files, name: locked})


def lock_path(records: Path) -> Path:
    """The lock file of a folder of records (``leaderboards/records``)."""
    return records / LOCK


def read_lock(records: Path) -> Lock | None:
    """What a folder's lock says; None: it has none.

    Raises:
        DataError: the file is damaged, of a later schema, or names what it may not.
    """
    path = lock_path(records)
    if not path.is_file():
        return None
    raw = read_json(path)
    try:
        return _checked(raw)
    except ValueError as error:
        raise DataError(f"no lock of ranks: {error}", path) from None


def _checked(raw: Any) -> Lock:
    if not isinstance(raw, dict) or raw.keys() - {"schema", "store", "files"}:
        raise ValueError("its keys are schema, store and files")
    if raw.get("schema") != schema_numbers.RANKS_LOCK:
        raise ValueError(f"schema {raw.get('schema')!r} is not {schema_numbers.RANKS_LOCK}")
    store, files = raw.get("store", ""), raw.get("files")
    if store != "" and (flaw := committed_flaw(store)):
        raise ValueError(f"store {flaw}")
    if not isinstance(files, dict):
        raise ValueError("files are no mapping")
    return Lock(store, {name: _locked(name, one) for name, one in files.items()})


def _locked(name: str, raw: Any) -> Locked:
    if not name.endswith(END) or not is_safe(name):
        raise ValueError(f"{name[:60]!r} is no name of a file of ranks")
    size = raw.get("bytes") if isinstance(raw, dict) else None
    digest = raw.get("sha256") if isinstance(raw, dict) else None
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise ValueError(f"{name}: sha256 is no hash")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError(f"{name}: bytes are no number")
    return Locked(digest, size)


def write_lock(records: Path, lock: Lock) -> Path:
    """Write a folder's lock, whole or not at all; returns its path."""
    files = {n: {"bytes": f.bytes, "sha256": f.sha256} for n, f in lock.files.items()}
    store = {"store": lock.store} if lock.store else {}
    write_json(lock_path(records), {"schema": schema_numbers.RANKS_LOCK, **store, "files": files})
    return lock_path(records)


def locked_as(path: Path) -> Locked:
    """What a file of ranks is now."""
    return Locked(sha256(path), path.stat().st_size)


def relock(records: Path, suites: Iterable[str]) -> list[Path]:
    """Write into a folder's lock what the ranks of these suites are, which were just written.

    Where there is no lock, none is made.

    Returns:
        the lock file, where it was written.
    """
    lock = read_lock(records)
    if lock is None:
        return []
    for suite in suites:
        path = records / f"{suite}{END}"
        if path.is_file():
            lock = lock.with_file(path.name, locked_as(path))
    return [write_lock(records, lock)]


def move_entry(suite: str, source: Path, target: Path) -> None:
    """Take a suite's entry from one folder's lock to another's, with the store that it is in."""
    name, lock = f"{suite}{END}", read_lock(source)
    if lock is None or name not in lock.files:
        return
    other = read_lock(target) or Lock(lock.store)
    write_lock(target, other.with_file(name, lock.files[name]))
    write_lock(source, lock.with_file(name, None))
