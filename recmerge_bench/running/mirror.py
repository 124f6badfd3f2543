"""A run's folder whose finished cells live in an object store: where it lies, and what is shared.

``--out s3://bucket/run`` works in a folder of this machine, the mirror, below the user's cache:
state of trainings, locks, logs and failures stay there. Finished cells are published to the object
store (`running.published`) and brought from it; manifests, records and boards are copied there
when a run ends, the last run's over those before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from recmerge_bench.cache import user_cache
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.files import write_bytes, write_json
from recmerge_bench.objects.address import is_remote, objects_at
from recmerge_bench.objects.store import Objects
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import below

#: The file of a mirror that says whose it is.
REMOTE = "remote.json"
#: Variable with the gigabytes that finished cells of one mirror may take, and how many they are
#: without it.
LIMIT, GIGABYTES = "RECMERGE_BENCH_CACHE_GB", 50.0
#: Folders that are copied whole, by the ends of their files' names.
SHARED = ("suites", "records", "boards")


def place_of(out: str | Path) -> Path:
    """The folder in which a run works: the one named, or this machine's mirror of an address.

    Raises:
        HandledError: no address that can be opened.
    """
    text = str(out)
    if "://" not in text:
        return Path(out)
    if not is_remote(text):
        return Path(objects_at(text).address)  # file://
    address = objects_at(text).address
    folder = user_cache() / "stores" / hashlib.sha256(address.encode()).hexdigest()[:16]
    if _noted(folder) != address:  # damaged, it would lead to another store
        write_json(folder / REMOTE, {"address": address})
    return folder


def _noted(folder: Path) -> str | None:
    try:
        remote = remote_of(folder)
    except HandledError:
        return None
    return None if remote is None else remote.address


def opened(out: str | Path) -> Path:
    """As `place_of`, with the manifests that the object store has now.

    Raises:
        HandledError: the store cannot be asked.
    """
    folder = place_of(out)
    remote = remote_of(folder)
    if remote is not None:
        for name in remote.sizes("suites"):
            write_bytes(below(folder, name), remote.read(name))
    return folder


def remote_of(out: Path) -> Objects | None:
    """The object store behind a run's folder; None: there is none.

    Raises:
        HandledError: the folder's note of it is damaged.
    """
    path = out / REMOTE
    if not path.is_file():
        return None
    note = read_json(path)
    address = note.get("address") if isinstance(note, dict) else None
    if not is_remote(address):
        raise DataError("no note of an object store: delete it and name the address again", path)
    return objects_at(str(address))


def address_of(out: Path) -> str:
    """What names a run to other machines: its folder, or the address that it is a mirror of."""
    remote = remote_of(out)
    return str(out) if remote is None else remote.address


def share(out: Path) -> None:
    """Copy manifests, records and boards to the object store, if there is one.

    Raises:
        StoreError: it refuses.
    """
    remote = remote_of(out)
    if remote is None:
        return
    for file in _files(out / name for name in SHARED):
        remote.put(file.relative_to(out).as_posix(), file)


def _files(folders: Iterable[Path]) -> list[Path]:
    return sorted(
        p for folder in folders for p in folder.rglob("*")
        if p.is_file() and not p.name.startswith(".")
    )  # fmt: skip


def limit() -> int:
    """Bytes that the finished cells of a mirror may take.

    Raises:
        HandledError: the variable is no number.
    """
    text = os.environ.get(LIMIT, "")
    try:
        size = float(text) if text else GIGABYTES
    except ValueError:
        size = -1.0
    if not 0 <= size < 1e9:
        raise HandledError(f"{LIMIT} takes gigabytes such as 50, not '{text}'")
    return int(size * 1e9)
