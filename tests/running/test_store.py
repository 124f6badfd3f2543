"""The store: whole or not at all, checked when read, locks that die with their process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_text
from recmerge_bench.running.cell_record import checked_record
from recmerge_bench.running.store import Busy, Store

KEY = "ab" + "0" * 62


def fill(store: Store, text: str = "content") -> None:
    with store.writing(KEY) as folder:
        (folder / "a.txt").write_text(text)
        store.commit(KEY, folder, {"key": KEY})


def test_a_committed_cell_is_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.has(KEY) and not store.intact(KEY)
    fill(store)
    assert store.intact(KEY)
    assert store.file(KEY, "a.txt").read_text() == "content"
    assert list(store.keys()) == [KEY]
    assert not list((tmp_path / "tmp").iterdir())


def test_a_failing_body_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError), store.writing(KEY) as folder:
        (folder / "half.txt").write_text("half")
        raise ValueError
    assert not store.has(KEY)
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("damage", ["edit", "delete"])
def test_damage_is_found_when_read(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    fill(store)
    path = store.folder(KEY) / "a.txt"
    path.write_text("CONTENT") if damage == "edit" else path.unlink()
    with pytest.raises(HandledError, match="does not match its record"):
        store.check(KEY)


def test_a_truncated_record_is_no_result(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store)
    (store.folder(KEY) / "record.json").write_text('{"key":')
    assert not store.intact(KEY)


def two_cells(store: Store) -> tuple[str, str]:
    fill(store)
    other = KEY.replace("ab", "cd")
    with store.writing(other) as folder:
        (folder / "a.txt").write_text("CONTENT")
        store.commit(other, folder, {"key": other})
    return KEY, other


def test_exchanged_cells_are_no_cells(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one, two = (store.folder(key) for key in two_cells(store))
    one.rename(tmp_path / "aside")
    two.rename(one)
    (tmp_path / "aside").rename(two)
    for key in (one.name, two.name):
        assert not store.intact(key) and not store.sound(key)
        with pytest.raises(HandledError, match="the record of another cell"):
            store.file(key, "a.txt")


@pytest.mark.parametrize("change", ["key", "files", "report", "seal"])
def test_an_edited_record_is_no_record(tmp_path: Path, change: str) -> None:
    """Two exchanged cells whose records were made to fit their places, too."""
    store = Store(tmp_path)
    one, two = two_cells(store)
    path = store.folder(two) / "record.json"
    record = json.loads(path.read_text())
    if change == "key":
        (store.folder(one) / "a.txt").write_text("CONTENT")
        path, record = store.folder(one) / "record.json", {**record, "key": one}
    elif change == "seal":
        del record["seal"]
    else:
        record[change] = {}
    path.write_text(json.dumps(record))
    assert not store.intact(path.parent.name)
    with pytest.raises(HandledError, match="own checksum"):
        store.check(path.parent.name)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("seconds", 10**400), ("seconds", float("nan")), ("started", -1), ("peak_memory", 1e308),
        ("provenance", {"libraries": {}, "plugins": {}, "python": 2**62}),
        ("provenance", {"libraries": {}, "plugins": {}, "dirty": 1}),
        ("provenance", {"libraries": {}, "plugins": {}, "cores": "2"}),
    ],
)  # fmt: skip
def test_a_records_parts_have_their_forms(part: str, value: Any) -> None:
    provenance: dict[str, Any] = {"libraries": {}, "plugins": {}, "cores": None}
    good: dict[str, Any] = {
        "files": {}, "seconds": 1, "peak_memory": 5, "started": 0.5, "provenance": provenance,
    }  # fmt: skip
    assert checked_record(good) == good
    with pytest.raises(ValueError, match=f"its '{part}' is not"):
        checked_record({**good, part: value})


def test_a_lock_excludes_and_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from recmerge_bench.running.store import Store\n"
        f"with Store(Path({str(tmp_path)!r})).lock({KEY!r}):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    store = Store(tmp_path)
    with pytest.raises(Busy), store.lock(KEY):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with store.lock(KEY):
        pass


def test_a_sweep_removes_only_what_dead_writers_left(tmp_path: Path) -> None:
    store = Store(tmp_path)
    fill(store)
    living = KEY.replace("ab", "cd")
    for left in (store.work(KEY), store.work(living), tmp_path / "tmp" / KEY):
        left.mkdir(parents=True)  # killed after its commit, before, and while writing
    with store.lock(living):
        (tmp_path / "tmp" / living).mkdir()
        store.sweep()
        assert [p.name for p in (tmp_path / "tmp").iterdir()] == [living]
    assert [p.name for p in (tmp_path / "work").iterdir()] == [living]


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_text(path, "one")
    before = path.stat().st_ino
    time.sleep(0.01)
    write_text(path, "two")
    assert path.read_text() == "two" and path.stat().st_ino != before
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]
