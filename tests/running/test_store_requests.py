"""How often an object store is asked: a plan of many finished cells lists them, and no more."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3_server import s3_server

from recmerge_bench.digests import sha256
from recmerge_bench.objects.address import objects_at
from recmerge_bench.objects.store import Mark
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.cell_record import SEAL, seal_of
from recmerge_bench.running.estimate import cells_done, measured
from recmerge_bench.running.known_records import FILE
from recmerge_bench.running.leaving import leave_records
from recmerge_bench.running.mirror import opened
from recmerge_bench.running.published import file_name, record_name
from recmerge_bench.running.scheduler import todo
from recmerge_bench.running.store import Store

#: Requests that a plan may take, whatever its cells: pages of a thousand names each, of records
#: and of files, and what runs left.
FEW = 8


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Requests by name, as s3fs makes them."""
    from s3fs import S3FileSystem

    counts: Counter[str] = Counter()
    call = S3FileSystem._call_s3

    async def counted(self: Any, method: str, *arguments: Any, **more: Any) -> Any:
        counts[method] += 1
        return await call(self, method, *arguments, **more)

    monkeypatch.setattr(S3FileSystem, "_call_s3", counted)
    return counts


def cells(count: int) -> dict[str, Cell]:
    keys = [f"{n:064x}" for n in range(count)]
    return {k: Cell(k, "train", f"cell {n}", {}, {"config": {}}) for n, k in enumerate(keys)}


def publish(address: str, folder: Path, count: int) -> Plan:
    """So many finished cells at an address, written at once and not by a run."""
    from fsspec.core import url_to_fs

    fs, root = url_to_fs(address)
    objects = {}
    for number, (key, cell) in enumerate(cells(count).items()):
        content = f"content {number}".encode()
        (folder / "file").write_bytes(content)
        digest = sha256(folder / "file")
        record = {"key": key, "kind": cell.kind, "label": cell.label, "inputs": {}, "seed": None,
                  "config": {}, "seconds": float(number), "peak_memory": 1,
                  "files": {"a": digest}, "sizes": {"a": len(content)}}  # fmt: skip
        objects[f"{root}/{record_name(key)}"] = json.dumps(
            {**record, SEAL: seal_of(record)}
        ).encode()
        objects[f"{root}/{file_name(digest)}"] = content
    fs.pipe(objects)
    plan = Plan("many", cells(count))
    plan.wanted = list(plan.cells)
    return plan


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_plan_of_cached_cells_asks_little(
    s3: str, asked: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    address = f"{s3}/{tmp_path.name}"
    plan = publish(address, tmp_path, count)
    requests = {}

    def planned(machine: str, what: str) -> Store:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / machine))
        store = Store(opened(address))
        asked.clear()
        with store.listed(plan.cells):
            done = cells_done(plan, store)
            costs = measured(plan, store, done)
        start = todo(plan, store)
        assert len(done) == count and start.done == set(plan.cells) and not start.waiting
        assert next(iter(costs.cells.values())).cost == (count - 1) / 2
        requests[what] = dict(asked)
        return store

    planned("first", "nothing known")
    store = planned("first", "known on this machine")
    leave_records(store, "many", plan.cells)
    planned("second", "left by a run")
    print(f"{count} cached cells, requests of plan and look before a run: {requests}")
    first, here, left = (sum(r.values()) for r in requests.values())
    assert first <= count + FEW, "each record once"
    assert here <= FEW and left <= FEW


def test_what_was_written_since_is_read_again(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{s3}/{tmp_path.name}"
    plan = publish(address, tmp_path, 20)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = Store(opened(address))
    assert len(cells_done(plan, store)) == 20
    kept, objects = store.out / FILE, objects_at(address)
    assert kept.is_file()
    changed, damaged, gone, *_ = plan.cells
    record = json.loads(objects.read(record_name(changed)))
    record["seconds"] = 77.0
    objects.put(record_name(changed), json.dumps({**record, SEAL: seal_of(record)}).encode())
    objects.put(record_name(damaged), objects.read(record_name(damaged)).replace(b"cell", b"CELL"))
    objects.remove(record_name(gone))
    again = Store(store.out)
    with again.listed(plan.cells):
        assert again.record(changed)["seconds"] == 77.0
    assert cells_done(plan, Store(store.out)) == set(plan.cells) - {damaged, gone}
    # Damaged notes of this machine, and damaged bundles, are as if they were not there.
    for content in (b"{", b"[]", kept.read_bytes().replace(b"train", b"drain")):
        kept.write_bytes(content)
        objects.put("known/many.json", content)
        assert cells_done(plan, Store(store.out)) == set(plan.cells) - {damaged, gone}
    shutil.rmtree(store.out)


def test_where_nothing_says_that_an_object_changed_nothing_is_known(tmp_path: Path) -> None:
    from recmerge_bench.running.known_records import KnownRecords

    objects = objects_at(f"memory://{tmp_path.name}")
    known = KnownRecords(objects, tmp_path)
    objects.put("store/a", b"{}")
    marks = {"store/a": Mark(2, "")}
    known.read(marks, {"a": "store/a"})
    known.keep()
    assert known.get("a", marks["store/a"]) is None and not (tmp_path / FILE).exists()
