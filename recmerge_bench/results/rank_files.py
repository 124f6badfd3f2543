"""Where the ranks behind a records file are, on this machine or in the results store.

The one way from records to ranks: site, figures, exports, checks, comparisons and the Python API
read them through `ranks_of`. A file is looked for beside the records, then among those that were
fetched before (``~/.cache/recmerge-bench/results``, by hash), then in the results store. Where the
folder has a lock (`results.rank_lock`), what is read is what the lock says, byte for byte.
"""

from __future__ import annotations

import os
from pathlib import Path

from recmerge_bench.cache import user_cache
from recmerge_bench.digests import file_digest, sha256
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import written_aside
from recmerge_bench.objects.address import is_remote, objects_at
from recmerge_bench.objects.store import StoreError
from recmerge_bench.results.all_ranks import read_all_ranks
from recmerge_bench.results.rank_lock import END, LOCK, Locked, read_lock

#: Variable with the address of the results store, before that of the lock.
ADDRESS = "RECMERGE_BENCH_RESULTS"


class NotAtHand(HandledError):
    """Ranks that a lock names are not on this machine and cannot be fetched now."""


class OtherBytes(DataError):
    """Ranks that are here or in the store are not those that a lock names."""


def ranks_beside(path: Path) -> Path:
    """The ranks beside a records file, whether or not they lie there."""
    return path.with_name(f"{path.stem}{END}")


def object_name(locked: Locked) -> str:
    """What a file of ranks is called in a results store: its hash, so that all versions stay."""
    return f"{locked.sha256[:2]}/{locked.sha256}.parquet"


def store_address(records: Path, given: str | None = None) -> str:
    """Address of a folder's results store: as given, else the variable's, else the lock's.

    Returns:
        the address, or an empty text: the ranks lie beside the records. A relative folder of a
        lock is one below `records`.
    """
    if given or os.environ.get(ADDRESS):
        return given or os.environ[ADDRESS]
    lock = read_lock(records)
    if lock is None or not lock.store:
        return ""
    return lock.store if is_remote(lock.store) else str(records / lock.store)


def ranks_file(path: Path) -> Path:
    """The file of ranks behind a records file, fetched if need be, checked against the lock.

    Raises:
        NotAtHand: the lock names it, and it is neither here nor to be had from the store.
        OtherBytes: it is another file than the lock says, here or in the store.
        HandledError: there is none, and no lock that says where it could be.
    """
    beside, lock = ranks_beside(path), read_lock(path.parent)
    locked = lock.files.get(beside.name) if lock else None
    if beside.is_file():
        if locked is not None:
            check_locked(beside, locked)
        return beside
    if locked is None:
        raise HandledError(f"no such file of ranks: {beside}")
    return fetched(locked, store_address(path.parent), beside)


def check_locked(path: Path, locked: Locked) -> None:
    """Refuse a file of ranks that is not what the lock beside it says.

    Raises:
        OtherBytes: it has other bytes.
    """
    if path.stat().st_size != locked.bytes or file_digest(path) != locked.sha256:
        raise OtherBytes(
            f"other bytes than {LOCK} says (sha256 {locked.sha256[:12]}...): restore the file, or "
            "`recmerge-bench results lock` takes over what lies there", path,
        )  # fmt: skip


def cached_at(locked: Locked) -> Path:
    """Where a file of ranks lies that was fetched, whether or not it does."""
    return user_cache() / "results" / object_name(locked)


def fetched(locked: Locked, address: str, beside: Path) -> Path:
    """A file of ranks out of the user's cache, or out of the store by way of it.

    Raises:
        NotAtHand: there is no store, it cannot be asked, or it has no such file.
        OtherBytes: the store has other bytes under the file's hash.
    """
    cached = cached_at(locked)
    if cached.is_file() and sha256(cached) == locked.sha256:
        return cached
    if not address:
        raise NotAtHand(f"{beside}: not here, and {LOCK} names no results store")
    try:
        with written_aside(cached) as aside:
            objects_at(address).fetch(object_name(locked), aside)
            if sha256(aside) != locked.sha256:
                raise OtherBytes(f"{object_name(locked)} has other bytes than its name says: the "
                                 f"store's copy of {beside.name} is damaged", address)  # fmt: skip
    except FileNotFoundError:
        raise NotAtHand(f"{beside}: not here, and {address} does not have it") from None
    except StoreError as error:
        raise NotAtHand(f"{beside}: not here, and the store does not give it: {error}") from None
    return cached


def ranks_of(path: Path) -> dict[str, RankTable]:
    """Key of a result -> its ranks, of all results of a records file that are done.

    Raises:
        NotAtHand: the lock names the ranks, and they are not to be had now.
        DataError: they are damaged, or others than the lock says.
        HandledError: there are none, and no lock that says where they could be.
    """
    return read_all_ranks(ranks_file(path))
