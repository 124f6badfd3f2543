"""Ranks of boards to a results store and back: `push`, `pull`, and the lock that says which."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.files import written_aside
from recmerge_bench.objects.address import committed_flaw, is_remote, objects_at
from recmerge_bench.objects.store import Objects
from recmerge_bench.results.files import records_files
from recmerge_bench.results.rank_files import (
    check_locked,
    fetched,
    object_name,
    ranks_beside,
    store_address,
)
from recmerge_bench.results.rank_lock import Lock, Locked, locked_as, read_lock, write_lock


@dataclass(frozen=True)
class Moved:
    """A file of ranks that was sent or brought.

    Attributes:
        name: ``quick.ranks.parquet``.
        bytes: that it has.
        new: whether it was not there before.
        where: the place that has it now.
    """

    name: str
    bytes: int
    new: bool
    where: str


def lock_ranks(records: Path, suites: tuple[str, ...] = ()) -> Lock:
    """Write down what the ranks beside records are; entries of files that lie elsewhere stay.

    Args:
        records: folder with ``<suite>.json``.
        suites: these alone; all if empty.

    Raises:
        HandledError: no such suite.
    """
    lock = read_lock(records) or Lock()
    paths = _chosen(records, suites)
    for path in paths:
        beside = ranks_beside(path)
        if beside.is_file():
            lock = lock.with_file(beside.name, locked_as(beside))
    if not suites:  # entries of suites that are gone go too
        known = {ranks_beside(path).name for path in paths}
        lock = replace(lock, files={n: f for n, f in lock.files.items() if n in known})
    write_lock(records, lock)
    return lock


def push(
    records: Path, suites: tuple[str, ...] = (), to: str | None = None, move: bool = False
) -> Iterator[Moved]:
    """Send the ranks that lie beside records to the results store, and write the lock.

    Args:
        records: folder with ``<suite>.json``.
        suites: these alone; all whose ranks lie beside their records if empty.
        to: the store; else the variable's or the lock's.
        move: take away the copy beside the records once the store's was read back and compared.

    The address is written into the lock where a committed file may name it: one that others reach,
    or a folder below `records`.

    Yields:
        each file, when the store has it.

    Raises:
        HandledError: no such suite, no address, or the store refuses.
        DataError: what the store gives back are other bytes.
    """
    address = store_address(records, to)
    if not address:
        raise HandledError(
            "no results store: --to ADDRESS, RECMERGE_BENCH_RESULTS, or one in ranks.lock.json"
        )
    store, kept = objects_at(address), _committed(records, address)
    before = read_lock(records)
    if move and not kept and not (before and before.store):
        raise HandledError(
            f"--move: ranks.lock.json cannot name {address} ({committed_flaw(address)}), so that "
            "nobody would find them again"
        )
    for path in _chosen(records, suites):
        beside = ranks_beside(path)
        if not beside.is_file():
            continue
        locked = locked_as(beside)
        new = _put(store, beside, locked)
        lock = read_lock(records) or Lock()
        lock = replace(lock, store=kept or lock.store).with_file(beside.name, locked)
        write_lock(records, lock)
        if move:
            beside.unlink()
        yield Moved(beside.name, locked.bytes, new, store.address)


def _committed(records: Path, address: str) -> str:
    """The address as a lock may name it; empty where it may not."""
    if is_remote(address):
        return "" if committed_flaw(address) else address
    place = Path(address.removeprefix("file://")).resolve()
    if not place.is_relative_to(records.resolve()):
        return ""
    return place.relative_to(records.resolve()).as_posix()


def _put(store: Objects, file: Path, locked: Locked) -> bool:
    """Give a store a file, and read back what it has now; whether it was new there."""
    new = store.put_new(object_name(locked), file)
    if not new and not _same(store, locked):
        store.put(object_name(locked), file)  # a damaged copy: the name is the hash of what it is
        new = True
    if new and not _same(store, locked):
        raise DataError(f"{object_name(locked)}: gives back other bytes than it was given",
                        store.address)  # fmt: skip
    return new


def _same(store: Objects, locked: Locked) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        store.fetch(object_name(locked), copy)
        return sha256(copy) == locked.sha256


def pull(
    records: Path, suites: tuple[str, ...] = (), address: str | None = None, beside: bool = False
) -> Iterator[Moved]:
    """Bring ranks that a lock names to this machine.

    Args:
        records: folder with ``<suite>.json`` and the lock.
        suites: these alone; all of the lock if empty.
        address: the store; else the variable's or the lock's.
        beside: also lay a copy beside the records; else the user's cache alone has them.

    Yields:
        each file, when it is here.

    Raises:
        NotAtHand: a file is not here and not to be had.
        DataError: a file has other bytes than the lock says.
        HandledError: no lock, or no such suite in it.
    """
    lock = read_lock(records)
    if lock is None:
        raise HandledError(
            f"{records}: no ranks.lock.json; `recmerge-bench results lock` or `push` writes it"
        )
    store = store_address(records, address)
    for path in _chosen(records, suites):
        place = ranks_beside(path)
        locked = lock.files.get(place.name)
        if locked is None:
            continue
        if place.is_file():
            check_locked(place, locked)
            yield Moved(place.name, locked.bytes, False, str(place))
            continue
        file = fetched(locked, store, place)
        if beside:
            with written_aside(place) as aside:
                aside.write_bytes(file.read_bytes())
        yield Moved(place.name, locked.bytes, True, str(place if beside else file))


def _chosen(records: Path, suites: tuple[str, ...]) -> list[Path]:
    """Records files of these suites, or all.

    Raises:
        HandledError: there are no records, or no such suite.
    """
    paths = {path.stem: path for path in records_files(records)}
    if not paths:
        raise HandledError(f"{records}: no records there")
    for suite in suites:
        if suite not in paths:
            raise HandledError(f"{records}: no records of suite '{suite}'{near(suite, paths)}")
    return [path for name, path in paths.items() if not suites or name in suites]
