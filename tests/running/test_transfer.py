"""Cells packed, run on a bare Python path, adopted: the same ranks; hostile archives refused."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from conftest import SAMPLES

from recmerge_bench.digests import sha256
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan
from recmerge_bench.running import transfer
from recmerge_bench.running.cell_record import seal_of
from recmerge_bench.running.store import Store

TINY = SAMPLES / "tiny.yaml"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recmerge_bench", *arguments], capture_output=True, text=True
    )


def test_packed_cells_come_back_as_a_local_run_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    there.mkdir()
    suite = ["--suite", str(TINY), "--out", str(here)]
    first = bench("run", *suite, "--only", "method=popularity")
    assert first.returncode == 0, first.stderr
    job = tmp_path / "job.tar"
    packed = bench("cells", "pack", "method=task-arithmetic,protocol=loo", "-o", str(job), *suite)
    assert packed.returncode == 0, packed.stderr
    with tarfile.open(job) as archive:
        # our own archive; Python 3.11's first releases have no filters
        archive.extractall(there, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    bare = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-I", str(there / "run.py")],
        cwd=there, capture_output=True, text=True, env=bare,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "failed" not in ran.stdout
    back = bench("cells", "adopt", str(there / "result.tar"), "--out", str(here))
    assert back.returncode == 0, back.stderr
    assert " 0 present, 0 refused" in back.stdout
    again = bench("run", *suite, "--only", "method=task-arithmetic,protocol=loo")
    assert "all 1 results cached" in again.stdout, again.stdout
    local = tmp_path / "local"
    assert bench("run", "--suite", str(TINY), "--out", str(local)).returncode == 0
    for path in here.glob("store/*/*/ranks.parquet"):
        twin = local / path.relative_to(here)
        assert twin.read_bytes() == path.read_bytes()


def cell(folder: Path, text: str = "x", **record: object) -> None:
    key = "ab" * 32
    place = folder / "store" / key[:2] / key
    place.mkdir(parents=True)
    (place / "a.txt").write_text(text)
    facts = {"key": key, "files": {"a.txt": sha256(place / "a.txt")}, "sizes": {"a.txt": len(text)}}
    facts |= record
    (place / "record.json").write_text(json.dumps({"seal": seal_of(facts), **facts}))


def tar_of(folder: Path, target: Path) -> Path:
    entries = [
        (p.relative_to(folder).as_posix(), p) for p in sorted(folder.rglob("*")) if p.is_file()
    ]
    return transfer.write_parts(target, entries)[0]  # type: ignore[arg-type]


def test_a_good_cell_is_adopted_once(tmp_path: Path) -> None:
    cell(tmp_path / "good")
    archive = tar_of(tmp_path / "good", tmp_path / "good.tar")
    store = Store(tmp_path / "out")
    assert transfer.adopt([archive], store).new == 1
    assert store.check("ab" * 32).joinpath("a.txt").read_text() == "x"
    assert transfer.adopt([archive], store).present == 1


@pytest.mark.parametrize(
    "record",
    [{"key": "cd" * 32}, {"files": {"a.txt": "0" * 64}}, {"files": {"../a.txt": "0" * 64}},
     {"files": {"missing.txt": "0" * 64}}, {"files": 3}, {"seal": "0" * 64}],
)  # fmt: skip
def test_a_cell_that_does_not_match_its_record_is_refused(
    tmp_path: Path, record: dict[str, object]
) -> None:
    cell(tmp_path / "bad", **record)
    store = Store(tmp_path / "out")
    done = transfer.adopt([tar_of(tmp_path / "bad", tmp_path / "bad.tar")], store)
    assert done.new == 0 and len(done.refused) == 1
    assert not store.has("ab" * 32)


def hostile(kind: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo({"climbs": "../escape.txt", "absolute": "/escape.txt"}.get(kind, "name"))
    if kind == "link":
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    if kind == "hard link":
        info.type, info.linkname = tarfile.LNKTYPE, "/etc/passwd"
    if kind == "device":
        info.type = tarfile.CHRTYPE
    return info


@pytest.mark.parametrize("kind", ["climbs", "absolute", "link", "hard link", "device"])
def test_hostile_archives_are_refused_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hostile.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(hostile(kind), io.BytesIO(b""))
    with pytest.raises(HandledError, match="refuses the entry"):
        transfer.adopt([path], Store(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_garbage_and_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "garbage.tar"
    path.write_bytes(b"not a tar" * 100)
    with pytest.raises(HandledError, match="not a readable archive"):
        transfer.adopt([path], Store(tmp_path / "out"))
    cell(tmp_path / "big", text="x" * 5000)
    archive = tar_of(tmp_path / "big", tmp_path / "big.tar")
    monkeypatch.setattr(transfer, "LIMIT", 4000)
    with pytest.raises(HandledError, match="unpacked"):
        transfer.adopt([archive], Store(tmp_path / "out"))


def test_a_plugin_that_is_a_folder_travels_whole(tmp_path: Path) -> None:
    for name in ("folder/__init__.py", "folder/deep/net.py", "folder/data.csv", "alone.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    files = {"folder": str(tmp_path / "folder"), "alone": str(tmp_path / "alone.py")}
    plan = Plan("s", files=files)
    names = [name for name, _ in transfer._sources(plan) if "recmerge_bench" not in name]
    assert names == ["code/folder/__init__.py", "code/folder/deep/net.py", "code/alone.py"]


def test_large_files_travel_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CHUNK", 1000)
    monkeypatch.setattr(transfer, "PART", (1 << 16) + 4096)
    cell(tmp_path / "big", text="0123456789" * 1000)
    folder = tmp_path / "big"
    entries = [(p.relative_to(folder).as_posix(), p) for p in sorted(folder.rglob("*.*"))]
    parts = transfer.write_parts(tmp_path / "big.tar", entries)  # type: ignore[arg-type]
    assert len(parts) > 2
    assert transfer.adopt(parts, Store(tmp_path / "out")).new == 1
