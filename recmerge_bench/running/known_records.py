"""Records of an object store that were read before, so that a plan does not read each of them.

A record is known by the mark that its object had in a listing (`objects.store.Mark`): where the
mark is another, the object was written since, and its record is read again. What a machine has
read it keeps beside the mirror; what the cells of a run are, the run leaves in the store in one
object, for machines that have read nothing yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.files import write_bytes
from recmerge_bench.objects.store import Mark, Objects
from recmerge_bench.running.cell_record import checked_record, record_flaw
from recmerge_bench.untrusted.jsons import loads, read_json

#: Of this machine, beside the mirror; and the folder of the store's objects.
FILE, FOLDER = "known-records.json", "known"
#: Bytes and values of such a file: some 400,000 records.
SIZE, VALUES = 1 << 30, 100_000_000
#: Records fewer than this are read one by one before the store's bundles are looked at.
FEW = 8

Record = dict[str, Any]


class KnownRecords:
    """Records by key, each with the mark that its object had.

    Args:
        objects: the store.
        out: the mirror's folder; None: nothing is kept on this machine.
    """

    def __init__(self, objects: Objects, out: Path | None) -> None:
        self.objects = objects
        self.file = None if out is None else out / FILE
        self._entries: dict[str, Any] | None = None
        self._checked: dict[str, Record] = {}
        self._learned = False

    def read(self, marks: Mapping[str, Mark], keys: Mapping[str, str]) -> None:
        """Have the records of all these cells that can be had, with few requests.

        Args:
            marks: name of an object -> its mark now.
            keys: of the cells -> names of their records' objects.
        """
        there = {key: name for key, name in keys.items() if name in marks}
        lacking = {k: n for k, n in there.items() if self.get(k, marks[n]) is None}
        if len(lacking) > FEW:
            self._learn_bundles()
            lacking = {k: n for k, n in lacking.items() if self.get(k, marks[n]) is None}
        if not lacking:
            return
        found = self.objects.read_all({name: marks[name].size for name in lacking.values()})
        for key, name in lacking.items():
            if marks[name].tag and (record := _whole(found.get(name), key)):
                self._learn(key, marks[name], record)

    def get(self, key: str, mark: Mark) -> Record | None:
        """The record of an object with this mark; None: it is not known, or of no mark."""
        if not mark.tag:
            return None
        entry = self._loaded().get(key)
        if not isinstance(entry, dict) or (entry.get("size"), entry.get("tag")) != tuple(mark):
            return None
        if key not in self._checked:
            record = _checked(entry.get("record"), key)
            if record is None:
                return None
            self._checked[key] = record
        return self._checked[key]

    def keep(self) -> None:
        """Write down what was learned, for the next command on this machine."""
        if self.file is not None and self._learned:
            write_bytes(self.file, _text(self._loaded()))
            self._learned = False

    def publish(self, name: str, marks: Mapping[str, Mark], records: Mapping[str, Record]) -> None:
        """Leave records in the store, in one object of this name.

        Args:
            name: of the bundle: a suite's.
            marks: key -> mark of its record's object now.
            records: key -> record; those without a mark are left out.

        Raises:
            StoreError: the store refuses.
        """
        entries = {
            key: {**marks[key]._asdict(), "record": record}
            for key, record in records.items()
            if key in marks and marks[key].tag
        }
        if entries:
            self.objects.put(f"{FOLDER}/{name}.json", _text(entries))

    def _learn(self, key: str, mark: Mark, record: Record) -> None:
        self._loaded()[key] = {**mark._asdict(), "record": record}
        self._checked[key] = record
        self._learned = True

    def _learn_bundles(self) -> None:
        """Take in what runs left in the store; a damaged bundle is as if it were not there."""
        for content in self.objects.read_all(self.objects.sizes(FOLDER)).values():
            try:
                bundle = loads(content, SIZE, VALUES, numbers=False)
            except ValueError:
                continue
            if isinstance(bundle, dict):
                self._loaded().update(bundle)
                self._checked = {k: r for k, r in self._checked.items() if k not in bundle}
                self._learned = True

    def _loaded(self) -> dict[str, Any]:
        if self._entries is None:
            self._entries = {}
            if self.file is not None and self.file.is_file():
                try:
                    kept = read_json(self.file, SIZE, VALUES, numbers=False)
                except HandledError:
                    kept = {}  # it is read again
                self._entries = kept if isinstance(kept, dict) else {}
        return self._entries


def _text(entries: Mapping[str, Any]) -> bytes:
    return json.dumps(entries, sort_keys=True).encode()


def _whole(content: bytes | None, key: str) -> Record | None:
    """A record from its object's bytes; None: it is damaged, and whoever reads it says so."""
    try:
        return None if content is None else _checked(loads(content, numbers=False), key)
    except ValueError:
        return None


def _checked(raw: Any, key: str) -> Record | None:
    try:
        record = checked_record(raw)
        return None if record_flaw(record, key) else record
    except (ValueError, DataError):
        return None


__all__ = ["KnownRecords"]
