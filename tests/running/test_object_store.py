"""A run on an object store: the same bytes as in a folder, whatever machine reads them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from little_suite import LITTLE
from s3_server import s3_server

import recmerge_bench
from recmerge_bench.errors import HandledError
from recmerge_bench.objects.address import objects_at
from recmerge_bench.running.mirror import address_of, limit, opened, place_of
from recmerge_bench.running.published import file_name, record_name
from recmerge_bench.running.store import Store
from recmerge_bench.running.trimming import pinned, trim

KEY, OTHER = "ab" + "0" * 62, "cd" + "0" * 62


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moves to a machine of that name: one cache each."""

    def to(name: str) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))

    to("first")
    yield to


@pytest.fixture
def address(s3: str, tmp_path: Path, machine: Any) -> str:
    return f"{s3}/{tmp_path.name}/run"


def fill(store: Store, text: str = "content", key: str = KEY) -> None:
    with store.writing(key) as folder:
        (folder / "a").mkdir()
        (folder / "a" / "b.txt").write_text(text)
        store.commit(key, folder, {"key": key})


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_a_run_gives_the_bytes_that_it_gives_in_a_folder(
    address: str, machine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "first"))
    local = recmerge_bench.run(LITTLE, out=tmp_path / "local", progress=False)
    there = recmerge_bench.run(LITTLE, out=address, progress=False)
    assert there.ok and there.computed == local.computed > 5
    names = ("little.json", "little.ranks.parquet")
    for name in names:
        assert (there.out / "records" / name).read_bytes() == (
            local.out / "records" / name
        ).read_bytes()
    assert there.board() == local.board()
    shared = objects_at(address)
    for name in names:
        assert shared.read(f"records/{name}") == (local.out / "records" / name).read_bytes()
    artefacts = {
        name: bytes_
        for name, bytes_ in files(local.out / "store").items()
        if not name.endswith("record.json")
    }
    assert artefacts == {
        name: bytes_
        for name, bytes_ in files(there.out / "store").items()
        if not name.endswith("record.json")
    }
    machine("second")
    again = recmerge_bench.run(LITTLE, out=address, progress=False)
    assert again.computed == 0 and again.board() == local.board()
    assert again.out != there.out
    machine("third")
    results = recmerge_bench.run_results(out=address)
    assert len(results.rows) > 2


def test_one_writer_wins_and_the_other_takes_its_cell(address: str, machine: Any) -> None:
    one = Store(opened(address))
    machine("second")
    two = Store(opened(address))
    assert one.out != two.out and not two.has(KEY)
    fill(one, "of the first")
    fill(two, "of the second")
    for store in (one, two):
        assert (store.check(KEY) / "a" / "b.txt").read_text() == "of the first"
    machine("third")
    three = Store(opened(address))
    assert three.has(KEY) and three.intact(KEY) and list(three.keys()) == [KEY]
    assert not three.folder(KEY).exists(), "nothing is fetched before it is read"
    assert three.file(KEY, "a/b.txt").read_text() == "of the first"
    assert three.folder(KEY).is_dir()
    assert address_of(three.out) == address and place_of(address) == three.out


def test_damage_in_the_cache_is_fetched_again(address: str) -> None:
    store = Store(opened(address))
    fill(store)
    path = store.folder(KEY) / "a" / "b.txt"
    path.write_text("CONTENT")
    assert store.sound(KEY), "the object store has it whole"
    assert store.file(KEY, "a/b.txt").read_text() == "content"
    (store.folder(KEY) / "record.json").write_text("{")
    assert (store.check(KEY) / "a" / "b.txt").read_text() == "content"


@pytest.mark.parametrize("damage", ["flip", "short", "gone", "record", "record-gone"])
def test_damage_in_the_object_store(address: str, machine: Any, damage: str) -> None:
    store = Store(opened(address))
    fill(store)
    digest = store.record(KEY)["files"]["a/b.txt"]
    objects = objects_at(address)
    machine("second")
    other = Store(opened(address))
    if damage == "record":
        objects.put(record_name(KEY), objects.read(record_name(KEY)).replace(b'"key"', b'"kez"'))
    elif damage == "record-gone":
        objects.remove(record_name(KEY))
    elif damage == "gone":
        objects.remove(file_name(digest))
    else:
        objects.put(file_name(digest), b"CONTENT" if damage == "flip" else b"cont")
    with pytest.raises(HandledError):
        other.check(KEY)
    assert not other.sound(KEY)
    assert bool(other.damage(KEY)) == (damage != "record-gone")
    other.discard(KEY)
    assert not other.has(KEY) and not other.damage(KEY)
    fill(other)
    machine("third")
    assert (Store(opened(address)).check(KEY) / "a" / "b.txt").read_text() == "content"


def test_the_cache_is_bounded(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(opened(address))
    fill(store)
    fill(store, "other", OTHER)
    with pinned(store.out, [KEY]):
        assert trim(store.out, 0, OTHER) == []
        assert trim(store.out, 0, "ee" + "0" * 62) == [OTHER]
    assert trim(store.out, 0, OTHER) == [KEY]
    assert store.sound(KEY) and store.sound(OTHER)
    monkeypatch.setenv("RECMERGE_BENCH_CACHE_GB", "0")
    store.check(KEY)
    store.check(OTHER)
    assert store.folder(OTHER).is_dir() and not store.folder(KEY).exists()
    with store.inputs({"a": KEY, "b": OTHER}) as inputs:
        assert all((folder / "a" / "b.txt").is_file() for folder in inputs.values())
    monkeypatch.setenv("RECMERGE_BENCH_CACHE_GB", "plenty")
    with pytest.raises(HandledError, match="takes gigabytes"):
        limit()


def test_a_plan_asks_once_what_there_is(address: str, machine: Any) -> None:
    store = Store(opened(address))
    fill(store)
    shutil.rmtree(store.folder(KEY))
    assert store.published is not None
    asked: list[str] = []
    size = store.published.objects.size
    store.published.objects.size = lambda name: asked.append(name) or size(name)  # type: ignore[method-assign,func-returns-value]
    with store.listed():
        assert store.intact(KEY) and not store.has(OTHER) and not store.intact(OTHER)
    assert asked == []


def test_a_note_of_no_store(tmp_path: Path) -> None:
    (tmp_path / "remote.json").write_text(json.dumps({"address": "ssh"}))
    with pytest.raises(HandledError, match="no note of an object store"):
        Store(tmp_path)
    assert address_of(tmp_path / "plain") == str(tmp_path / "plain")
    assert place_of("file:///somewhere/else") == Path("/somewhere/else")
