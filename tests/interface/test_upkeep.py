"""The upkeep of a store: every damage in every kind of file is named, nothing needed is removed."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from harms import HARMS, delete
from little_suite import LITTLE
from s3_server import s3_server

import recmerge_bench
from recmerge_bench.cli import cli
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.interface.run_list import run_states
from recmerge_bench.interface.upkeep import collect, usage, verify
from recmerge_bench.objects.address import objects_at
from recmerge_bench.running.mirror import opened
from recmerge_bench.running.store import Store

STRAY = "ee" + "0" * 62


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a run, with a note of a failure."""
    out = tmp_path_factory.mktemp("upkeep") / "run"
    assert recmerge_bench.run(LITTLE, out=out, progress=False).ok
    Store(out).fail(STRAY, {"error": "it went wrong", "label": "a cell", "traceback": "..."})
    return out


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def asked(*words: str) -> Any:
    return CliRunner().invoke(cli, list(words), standalone_mode=False, catch_exceptions=False)


def stray(store: Store, label: str = "of no suite", text: str = "abc") -> None:
    with store.writing(STRAY) as folder:
        (folder / "a").write_text(text)
        store.commit(STRAY, folder, {"key": STRAY, "kind": "train", "label": label, "started": 1.0})


def test_a_whole_store(finished: Path) -> None:
    assert list(verify(finished)) == []
    result = asked("store", "verify", "--out", str(finished))
    assert result.return_value == 0 and "0 thing(s) damaged" in result.output
    kinds = {u.kind: u for u in usage(finished)}
    assert {"data", "split", "train", "merge", "rank"} <= kinds.keys()
    assert sum(u.unused for u in kinds.values()) == 0
    assert "all" in asked("store", "du", "--out", str(finished)).output
    assert list(collect(finished, older=0)) == []


def test_every_damage_of_every_file_is_named(
    finished: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bit flipped, cut off, emptied, deleted, exchanged: each file of the store, one by one."""
    rng = random.Random(17)
    files = [p for part in ("store", "suites", "failures") for p in (out / part).rglob("*")]
    files = sorted(p for p in files if p.is_file() and p.suffix != ".yaml")
    done: dict[str, int] = {}
    for path in files:
        whole = path.read_bytes()
        for harm in HARMS:
            kind = path.name if path.parts[-4] == "store" else path.parent.name
            if harm is delete and kind in ("suites", "failures"):
                continue  # a run that never was, a cell that never failed
            harm(path, rng)
            named = [str(d) for d in verify(out)]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(whole)
            assert named, f"{harm.__name__} of {path} is silent"
            assert any(path.name in n or path.parent.name in n for n in named), named
            done[f"{harm.__name__} {kind}"] = done.get(f"{harm.__name__} {kind}", 0) + 1
    assert list(verify(out)) == []
    with capsys.disabled():
        print(f"\n{sum(done.values())} damages of {len(files)} files, {len(done)} kinds: 0 silent")
    assert sum(done.values()) > 100


def test_a_run_makes_what_is_damaged_again(finished: Path, out: Path) -> None:
    """Each cell that a result needs to be published is harmed; the bytes are the same after."""
    rng = random.Random(18)
    needed = [p for p in (out / "store").glob("*/*/record.json")]
    for number, path in enumerate(sorted(needed)):
        files = sorted(p for p in path.parent.rglob("*") if p.is_file())
        HARMS[number % len(HARMS)](rng.choice(files), rng)
    assert len(list(verify(out))) >= len(needed)
    again = recmerge_bench.run(LITTLE, out=out, progress=False)
    assert again.ok and again.computed >= 2
    for name in ("little.json", "little.ranks.parquet"):
        before, after = (folder / "records" / name for folder in (finished, out))
        assert before.read_bytes() == after.read_bytes()
    wrong = [str(d) for d in verify(out)]
    results = {r.key for r in again.records.results}
    assert not [w for w in wrong if any(key in w for key in results)], wrong


def test_what_is_gone_is_named(out: Path) -> None:
    kinds = {json.loads(p.read_text())["kind"]: p for p in out.glob("store/*/*/record.json")}
    shutil.rmtree(kinds["train"].parent)
    assert list(verify(out)) == [], "what was only trained need not exist any more"
    for kind in ("split", "rank", "data"):
        shutil.rmtree(kinds[kind].parent)
        assert any("gone from the store" in str(d) for d in verify(out)), kind


def test_what_is_in_no_cell_is_named(out: Path) -> None:
    cell = next(out.glob("store/*/*"))
    (cell / "more.txt").write_text("more")
    (out / "store" / "zz").mkdir()
    (out / "store" / "zz" / "no key").write_text("")
    assert sorted(str(d).rpartition("/")[2].partition(":")[0] for d in verify(out)) == [
        "more.txt", "no key",
    ]  # fmt: skip
    assert asked("store", "verify", "--out", str(out)).return_value == 1


def test_gc_names_first_and_keeps_what_a_manifest_needs(out: Path) -> None:
    store = Store(out)
    before = set(store.keys())
    stray(store)
    dry = asked("store", "gc", "--out", str(out), "--older", "0")
    assert "of no suite" in dry.output and "--delete takes them away" in dry.output
    assert store.has(STRAY)
    with store.lock(STRAY):
        assert "stay" in asked("store", "gc", "--out", str(out), "--delete").output
    assert store.has(STRAY)
    assert "1 cell(s) taken away" in asked("store", "gc", "--out", str(out), "--delete").output
    assert set(store.keys()) == before and list(verify(out)) == []
    assert recmerge_bench.run(LITTLE, out=out, progress=False).computed == 0


def test_gc_keeps_what_is_young_and_refuses_to_guess(out: Path, tmp_path: Path) -> None:
    stray(Store(out))
    path = Store(out).folder(STRAY) / "record.json"
    assert [c.key for c in collect(out)] == [STRAY]
    import time

    shutil.rmtree(path.parent)
    store = Store(out)
    with store.writing(STRAY) as folder:
        store.commit(STRAY, folder, {"key": STRAY, "kind": "train", "started": time.time()})
    assert list(collect(out)) == []
    manifest = out / "suites" / "little.json"
    text = manifest.read_text()
    manifest.write_text(text.replace("merging", "Merging", 1))
    with pytest.raises(HandledError, match="checksum"):
        list(collect(out, delete=True, older=0))
    manifest.unlink()
    with pytest.raises(HandledError, match="no suite was run"):
        list(collect(out, delete=True, older=0))
    assert store.has(STRAY)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


def test_an_object_store(
    out: Path, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cells of the run, published; damage in the object store is named, gc clears it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    address = f"{s3}/{tmp_path.name}"
    mirror = opened(address)
    shutil.copytree(out / "suites", mirror / "suites")
    local, store = Store(out), Store(mirror)
    assert store.published is not None
    for key in list(local.keys()):
        assert store.published.publish(key, local.folder(key), local.record(key))
    assert list(verify(address)) == []
    stray(store)
    objects = objects_at(address)
    names = sorted(objects.sizes("files"))
    for name in names[:5]:
        data = objects.read(name)
        objects.put(name, bytes([data[0] ^ 1]) + data[1:])
        assert any(name in str(d) for d in verify(address))
        objects.put(name, data)
    [record, *_] = sorted(objects.sizes("store"))
    data = objects.read(record)
    objects.put(record, data[:-20])
    assert any(record in str(d) for d in verify(address))
    objects.put(record, data)
    assert [c.key for c in collect(address, older=0)] == [STRAY]
    assert [c.removed for c in collect(address, delete=True, older=0)] == [True]
    assert len(objects.sizes("files")) == len(names) - 1 and list(verify(address)) == []


def test_runs_are_listed_shown_and_gone_on_with(out: Path) -> None:
    [state] = run_states(out)
    assert state.suite == "little" and state.states == {"done": 2} and state.open == ()
    assert "little" in asked("runs", "list", "--out", str(out)).output
    assert state.command in asked("runs", "show", "little", "--out", str(out)).output
    [plain] = json.loads(asked("runs", "list", "--out", str(out), "--json").output)
    assert plain["states"] == {"done": 2}
    again = asked("runs", "resume", "little", "--out", str(out))
    assert again.return_value == 0 and "all 2 results cached" in again.output
    manifest = json.loads((out / "suites" / "little.json").read_text())
    manifest["header"]["command"] = "rm -rf /"
    write_json(out / "suites" / "little.json", {**manifest, "seal": ""})
    with pytest.raises(HandledError, match="no command"):
        asked("runs", "resume", "little", "--out", str(out))


def test_events_are_lines_with_one_id_a_cell(finished: Path) -> None:
    lines = [json.loads(t) for t in (finished / "logs" / "events.jsonl").read_text().splitlines()]
    assert lines[0]["event"] == "run" and lines[-1]["event"] == "end"
    assert len({line["run"] for line in lines}) == 1
    keys = {p.parent.name for p in finished.glob("store/*/*/record.json")}
    assert {line["cell"] for line in lines if line["event"] == "done"} == keys
    assert {line["cell"] for line in lines if line["event"] == "started"} == keys
    assert all(line["label"] and line["suite"] == "little" for line in lines if "cell" in line)
