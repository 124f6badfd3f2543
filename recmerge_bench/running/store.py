"""Content-addressed store: a folder per cell, written aside, renamed whole, checked when read.

Where the folder is the mirror of an address (`running.mirror`), a finished cell is also published
to the object store behind it, and one that is only there is brought when it is read: the folder is
then a cache of bounded size, whose files can be memory-mapped as those of any folder.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.files import write_json
from recmerge_bench.locks import lock_at_once
from recmerge_bench.objects.folder import Folder
from recmerge_bench.objects.store import Objects
from recmerge_bench.running import leases
from recmerge_bench.running.cell_record import SEAL, checked_record, record_flaw, seal_of
from recmerge_bench.running.leases import Busy as Busy
from recmerge_bench.running.mirror import limit, remote_of
from recmerge_bench.running.published import RECORD as RECORD
from recmerge_bench.running.published import Published, brought, record_name
from recmerge_bench.running.trimming import pinned, trim
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import below, within

#: Hex digits of a cell's key.
KEY_LENGTH = 64
#: What a file system without locks of the kernel says.
_NO_FLOCK = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
#: Locks that this process holds; a fork of it holds none.
_HELD: set[int] = set()


def _let_go() -> None:
    for handle in _HELD:
        with suppress(OSError):
            os.close(handle)
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


class Store:
    """The cells that are done, under ``OUT/store``; failures and resumable state beside them.

    Args:
        out: the folder that ``--out`` names; made when something is written.

    Attributes:
        out: the same.
        published: the cells in the object store that the folder is a mirror of; None: it is none.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        remote = remote_of(out)
        self.published = None if remote is None else Published(remote, out)

    def folder(self, key: str) -> Path:
        """Where a finished cell lies (whether or not it does)."""
        return within(self.out / "store", key[:2], key)

    def work(self, key: str) -> Path:
        """Where a running cell keeps what it needs to go on after a crash."""
        return within(self.out / "work", key)

    def has(self, key: str) -> bool:
        """Whether the cell is done."""
        if (self.folder(key) / RECORD).is_file():
            return True
        return self.published is not None and self.published.has(key)

    def listed(self, keys: Iterable[str] = ()) -> AbstractContextManager[None]:
        """Within it, an object store is asked once what there is.

        Args:
            keys: of cells that are going to be looked at: the records of those that are not here
                are read together (`Published.listed`).
        """
        if self.published is None:
            return nullcontext()
        return self.published.listed(k for k in keys if not (self.folder(k) / RECORD).is_file())

    def record(self, key: str) -> dict[str, Any]:
        """The cell's record: whole, and of the cell in whose place it lies.

        Raises:
            HandledError: it is not readable, was edited, or is another cell's.
        """
        path = self.folder(key) / RECORD
        if self.published is not None and not path.is_file():
            try:
                return self.published.record(key)
            except FileNotFoundError:
                pass  # as for a folder: there is no such file
        remedy = f"delete {path.parent} and run again"
        raw = read_json(path, remedy=remedy, numbers=False)  # reports may hold infinities
        try:
            record = checked_record(raw)
            flaw = record_flaw(record, key)
        except ValueError as error:
            record, flaw = {}, str(error)
        if flaw:
            raise DataError(f"{flaw}; {remedy}", path)
        return record

    def file(self, key: str, name: str) -> Path:
        """An artefact of a finished cell, its bytes checked against the record.

        Raises:
            HandledError: the file is missing or its hash is another.
        """
        self._bring(key)
        path = below(self.folder(key), name)
        self._match(key, path, self.record(key)["files"].get(name))
        return path

    def check(self, key: str) -> Path:
        """The cell's folder, every artefact in it checked.

        Raises:
            HandledError: a file is missing or its hash is another.
        """
        self._bring(key)
        return self._checked(key)

    def _checked(self, key: str) -> Path:
        for name, digest in self.record(key)["files"].items():
            self._match(key, below(self.folder(key), name), digest)
        return self.folder(key)

    def place(self, key: str) -> Path:
        """The folder of a finished cell, brought here if need be; of one that is here, unread.

        Raises:
            HandledError: it is only in the object store, and damaged there.
        """
        if not self.folder(key).is_dir():
            self._bring(key)
        return self.folder(key)

    @contextmanager
    def inputs(self, keys: Mapping[str, str]) -> Iterator[dict[str, Path]]:
        """Role -> folder of a finished cell, checked; no cache is trimmed of them meanwhile.

        Raises:
            HandledError: a file is missing or its hash is another.
        """
        with pinned(self.out, keys.values() if self.published is not None else ()):
            yield {role: self.check(key) for role, key in keys.items()}

    def _bring(self, key: str) -> None:
        """Have a cell here that is only in the object store, or whole there and damaged here."""
        if self.published is None or self._damage(key) == "":
            return
        try:
            with brought(self.published, key, self.out) as folder:
                self._put(key, folder)
        except FileNotFoundError:
            return
        except DataError as error:
            write_json(self._note(key), {"error": str(error)})  # `damage` says so from now on
            raise HandledError(f"{error}; run again: it is computed again") from None
        trim(self.out, limit(), key)

    def _put(self, key: str, folder: Path) -> None:
        """Give a whole folder the cell's place; another process may have been quicker."""
        target = self.folder(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and self._damage(key):
            shutil.rmtree(target, ignore_errors=True)
        try:
            os.rename(folder, target)
        except OSError:
            if self._damage(key):
                raise

    def _damage(self, key: str) -> str | None:
        """What is wrong with a cell's folder; None: there is none."""
        if not self.folder(key).is_dir():
            return None
        try:
            self._checked(key)
        except HandledError as error:
            return str(error)
        return ""

    def _note(self, key: str) -> Path:
        """Where this machine keeps it in mind that a published cell is damaged."""
        return within(self.out / "damaged", f"{key}.json")

    def _match(self, key: str, path: Path, digest: str | None) -> None:
        if digest is None or not path.is_file() or sha256(path) != digest:
            raise HandledError(
                f"{path}: does not match its record (damaged or edited); "
                f"delete {self.folder(key)} and run again"
            )

    def intact(self, key: str) -> bool:
        """Whether the cell is done and its files are there in the recorded sizes (no hashing)."""
        if not self.has(key):  # most cells of a large plan: a look, and no error that is made
            return False
        try:
            record = self.record(key)
        except HandledError:
            return False
        folder = self.folder(key)
        if self.published is not None and not folder.is_dir():
            return self.published.has(key) and not self.published.damage(key)
        return all(
            (folder / n).is_file() and (folder / n).stat().st_size == s
            for n, s in record["sizes"].items()
        )

    def sound(self, key: str) -> bool:
        """Whether the cell is done and every file in it has its recorded bytes."""
        return self.has(key) and not self.damage(key)

    def damage(self, key: str) -> str:
        """What is wrong with a finished cell, or an empty string (also where there is none)."""
        here = self._damage(key)
        if self.published is None or here == "":
            return here or ""
        with suppress(HandledError):
            note = read_json(self._note(key))
            return str(note.get("error")) if isinstance(note, dict) else "damaged"
        return self.published.damage(key)

    @contextmanager
    def lock(self, key: str, patient: bool = False) -> Iterator[None]:
        """Hold the cell: on this machine by the kernel's lock, among all by a lease.

        The lock goes with the process, however that ends; the lease, see `running.leases`, is
        over some time after.

        Args:
            key: of the cell.
            patient: see `leases.holding`.

        Raises:
            Busy: another process holds it.
        """
        with self._flocked(key), leases.holding(self._shared(), key, patient):
            yield

    def _shared(self) -> Objects:
        """What all machines that compute cells of this store see."""
        return Folder(self.out) if self.published is None else self.published.objects

    @contextmanager
    def _flocked(self, key: str) -> Iterator[None]:
        path = within(self.out / "locks", f"{key}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = lock_at_once(path)
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            yield  # a file system without such locks: the lease alone
            return
        if handle is None:
            raise Busy(key)
        _HELD.add(handle)
        try:
            yield
        finally:
            if handle in _HELD:  # not so in a fork
                _HELD.discard(handle)
                os.close(handle)

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A folder to write a locked cell's artefacts to; it disappears if the body raises."""
        self.clear(key)
        folder = self._aside(key)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clear(self, key: str) -> None:
        """Take away what a killed writer of a locked cell left, but for its resumable state."""
        for left in (self.out / "tmp").glob(f"{key}*"):
            shutil.rmtree(left, ignore_errors=True)

    def _aside(self, key: str) -> Path:
        """Where a cell is written: each holder has a place of its own, a late one too."""
        lease = leases.held(key)
        return within(self.out / "tmp", key if lease is None else f"{key}-{lease.nonce}")

    def commit(self, key: str, folder: Path, record: dict[str, Any]) -> None:
        """Seal a written folder with its record and move it into the store in one step.

        Raises:
            Fenced: another process has taken the cell over meanwhile.
        """
        files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != RECORD)
        names = [p.relative_to(folder).as_posix() for p in files]
        sealed = {
            **record,
            "key": key,
            "files": {n: sha256(p) for n, p in zip(names, files, strict=True)},
            "sizes": {n: p.stat().st_size for n, p in zip(names, files, strict=True)},
        }
        leases.check(key)
        sealed[SEAL] = seal_of(sealed)
        write_json(folder / RECORD, sealed)
        if self.published is not None and not self.published.publish(key, folder, sealed):
            shutil.rmtree(folder)  # another machine was quicker: its cell is the one that stands
            folder.mkdir()
            self.published.bring(key, folder)
        target = self.folder(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not self.sound(key):
            shutil.rmtree(target)
        try:
            os.rename(folder, target)  # which replaces no cell that is there
        except OSError:
            if not self.sound(key):
                raise
            shutil.rmtree(folder, ignore_errors=True)  # another was quicker: its cell stands
        self._failure(key).unlink(missing_ok=True)
        shutil.rmtree(self.work(key), ignore_errors=True)
        if self.published is not None:
            trim(self.out, limit(), key)

    def damage_here(self, key: str) -> str:
        """What is wrong with a cell in this folder, whatever an object store has; else nothing."""
        return self._damage(key) or ""

    def remove(self, key: str) -> None:
        """Take a finished cell away, its record first.

        Raises:
            Busy: someone is at work on it.
        """
        with self.lock(key):
            if self.published is not None:
                self.published.objects.remove(record_name(key))
            if self.folder(key).is_dir():
                (self.folder(key) / RECORD).unlink(missing_ok=True)
                shutil.rmtree(self.folder(key))

    def discard(self, key: str) -> None:
        """Take a damaged cell away, unless someone is at work on it."""
        with suppress(Busy), self.lock(key):
            shutil.rmtree(self.folder(key), ignore_errors=True)
            if self.published is not None:
                self.published.discard(key)
                self._note(key).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what killed writers left: half-written cells, resumable state of finished ones."""
        finished = [p for p in self.out.glob("work/*") if self.intact(p.name)]
        for left in (*finished, *self.out.glob("tmp/*")):
            with suppress(Busy), self.lock(left.name[:KEY_LENGTH]):
                shutil.rmtree(left, ignore_errors=True)

    def fail(self, key: str, failure: dict[str, Any]) -> None:
        """Write down how a cell failed; it is tried again next time."""
        write_json(self._failure(key), {**failure, SEAL: seal_of(failure)})

    def failure(self, key: str) -> dict[str, Any] | None:
        """How the cell failed last, if it did and is not done since."""
        with suppress(HandledError):
            failure = read_json(self._failure(key), numbers=False)
            if not isinstance(failure, dict) or failure.pop(SEAL, None) != seal_of(failure):
                return None
            if all(isinstance(failure.get(k), str) for k in ("error", "label")):
                return failure
        return None

    def _failure(self, key: str) -> Path:
        return within(self.out / "failures", f"{key}.json")

    def keys(self) -> Iterator[str]:
        """Keys of all finished cells."""
        here = {path.parent.name for path in (self.out / "store").glob(f"*/*/{RECORD}")}
        yield from sorted(here | set(self.published.keys() if self.published else ()))


def scratch_of(folder: Path) -> Path:
    """Beside the folder that a cell writes to: what its method may write to, thrown away."""
    return folder.with_name(f"{folder.name}.scratch")
