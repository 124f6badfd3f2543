"""Finished cells in an object store: what is published is whole, and what is brought is checked.

A cell's files lie under the hashes of their bytes (``files/ab/abcd...``), its record under its key
(``store/12/1234.../record.json``). The record is written last and only if there is none: that write
is the publication. Of two writers of a cell one wins, and the other takes the winner's; where the
object store has no conditional writes (`Objects.exclusive`) both may believe that they won, and the
later record stands, of files that are whole all the same, since no file is ever written over with
other bytes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recmerge_bench.digests import sha256
from recmerge_bench.errors import DataError
from recmerge_bench.objects.store import Mark, Objects
from recmerge_bench.running.cell_record import checked_record, record_flaw
from recmerge_bench.running.known_records import KnownRecords
from recmerge_bench.untrusted.jsons import loads
from recmerge_bench.untrusted.paths import below, within

RECORD = "record.json"


class Published:
    """The finished cells of an object store.

    Args:
        objects: the store.
        out: the mirror's folder, where records that were read are kept; None: they are not.
    """

    def __init__(self, objects: Objects, out: Path | None = None) -> None:
        self.objects = objects
        self.known = KnownRecords(objects, out)
        self._listed: dict[str, Mark] | None = None
        self._records: dict[str, dict[str, Any]] = {}  # read while listed

    @contextmanager
    def listed(self, keys: Iterable[str] = ()) -> Iterator[None]:
        """What is there is listed once, and asked no more within.

        Args:
            keys: of cells whose records are going to be asked for: those that are not known are
                read together.
        """
        outer = self._listed is not None
        if not outer:
            self._listed = {**self.objects.marks("store"), **self.objects.marks("files")}
        try:
            self.known.read(self._listed or {}, {key: record_name(key) for key in keys})
            self.known.keep()
            yield
        finally:
            if not outer:
                self._listed = None
                self._records.clear()

    def leave_known(self, name: str, records: Mapping[str, dict[str, Any]]) -> None:
        """Leave the records of a run's cells in one object, for plans of other machines.

        Args:
            name: of the suite.
            records: key -> record.

        Raises:
            StoreError: the store refuses.
        """
        marks = self.objects.marks("store")
        own = {key: marks[n] for key in records if (n := record_name(key)) in marks}
        self.known.publish(name, own, records)

    def has(self, key: str) -> bool:
        """Whether the cell was published."""
        return self._size(record_name(key)) is not None

    def keys(self) -> list[str]:
        """Keys of all cells that were published."""
        names = self.objects.sizes("store")
        records = [name.split("/") for name in names if name.endswith(f"/{RECORD}")]
        return sorted(parts[2] for parts in records if len(parts) == 4)

    def record(self, key: str) -> dict[str, Any]:
        """The cell's record: whole, and of this cell.

        Raises:
            FileNotFoundError: it was not published.
            DataError: it is not readable, was edited, or is another cell's.
        """
        if key in self._records:
            return self._records[key]
        name = record_name(key)
        if self._listed is not None and name in self._listed:
            known = self.known.get(key, self._listed[name])
            if known is not None:
                return known
        try:
            record = checked_record(loads(self.objects.read(name), numbers=False))
            flaw = record_flaw(record, key)
        except ValueError as error:
            record, flaw = {}, str(error)
        if flaw:
            raise DataError(f"{name}: {flaw}", self.objects.address)
        if self._listed is not None:
            self._records[key] = record
        return record

    def damage(self, key: str) -> str:
        """What can be seen to be wrong with a published cell without reading its files."""
        try:
            record = self.record(key)
        except FileNotFoundError:
            return ""
        except DataError as error:
            return str(error)
        for name, digest in record["files"].items():
            size = self._size(file_name(digest))
            if size != record["sizes"][name]:
                state = "is missing" if size is None else f"has {size} bytes"
                return f"{self.objects.address}: {file_name(digest)} ({name} of {key[:12]}) {state}"
        return ""

    def publish(self, key: str, folder: Path, record: dict[str, Any]) -> bool:
        """Publish a sealed folder; False: another writer was quicker, and its cell stands.

        Raises:
            StoreError: the object store refuses.
        """
        for name, digest in record["files"].items():
            self._put(digest, folder / name, record["sizes"][name])
        return self.objects.put_new(record_name(key), folder / RECORD)

    def _put(self, digest: str, file: Path, size: int) -> None:
        """Give a file its place; one of another length there is damaged, and replaced."""
        name = file_name(digest)
        if not self.objects.put_new(name, file) and self.objects.size(name) != size:
            self.objects.put(name, file)

    def bring(self, key: str, folder: Path) -> None:
        """Write a cell's files and its record into a new folder, every hash checked.

        Raises:
            FileNotFoundError: it was not published.
            DataError: something of it is damaged or missing; says what.
            StoreError: the object store cannot be asked.
        """
        record = self.record(key)
        for name, digest in record["files"].items():
            path = below(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._bring(digest, path, f"{name} of {key[:12]}")
        self.objects.fetch(record_name(key), folder / RECORD)

    def _bring(self, digest: str, path: Path, what: str) -> None:
        for attempt in (1, 2):  # bytes that the way here changed are not the store's fault
            try:
                self.objects.fetch(file_name(digest), path)
            except FileNotFoundError:
                raise DataError(
                    f"{file_name(digest)} ({what}) is missing", self.objects.address
                ) from None
            if sha256(path) == digest:
                return
            path.unlink()
            if attempt == 2:
                raise DataError(
                    f"{file_name(digest)} ({what}) is damaged: its bytes are not those of its name",
                    self.objects.address,
                )

    def discard(self, key: str) -> None:
        """Take a damaged cell away: its record first, then those of its files that are damaged."""
        try:
            record = self.record(key)
        except (FileNotFoundError, DataError):
            record = {"files": {}, "sizes": {}}
        self.objects.remove(record_name(key))
        for digest in record["files"].values():
            if not self.whole(digest):
                self.objects.remove(file_name(digest))

    def whole(self, digest: str) -> bool:
        """Whether a file is there and has the bytes of its name: it is read for that."""
        import hashlib

        try:
            return hashlib.sha256(self.objects.read(file_name(digest))).hexdigest() == digest
        except FileNotFoundError:
            return False

    def clear_unnamed(self) -> list[str]:
        """Take away the files that no record names; none where a record is damaged.

        Nobody may be publishing meanwhile.

        Returns:
            their names.
        """
        named = set()
        for key in self.keys():
            try:
                named |= {file_name(digest) for digest in self.record(key)["files"].values()}
            except DataError:
                return []  # what it named is not known: nothing is taken away
        unnamed = sorted(self.objects.sizes("files").keys() - named)
        for name in unnamed:
            self.objects.remove(name)
        return unnamed

    def _size(self, name: str) -> int | None:
        if self._listed is not None:
            mark = self._listed.get(name)
            return None if mark is None else mark.size
        return self.objects.size(name)


def record_name(key: str) -> str:
    """The name of a cell's record."""
    return f"store/{key[:2]}/{key}/{RECORD}"


def file_name(digest: str) -> str:
    """The name of a file of a cell, by the SHA-256 of its bytes."""
    return f"files/{digest[:2]}/{digest}"


@contextmanager
def brought(published: Published, key: str, out: Path) -> Iterator[Path]:
    """A cell brought into a folder aside, which is gone at the end unless it was moved.

    Raises:
        FileNotFoundError: it was not published.
        DataError: something of it is damaged or missing; says what.
    """
    folder = within(out / "arriving", f"{key}.{os.getpid()}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        published.bring(key, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
