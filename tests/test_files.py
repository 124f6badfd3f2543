"""Files and folders are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from recmerge_bench import files
from recmerge_bench.digests import file_digest, sha256
from recmerge_bench.files import put_folder, write_bytes, write_text, written_aside


def test_a_file_is_replaced_when_the_body_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    write_text(path, "one\n")
    with written_aside(path) as aside:
        aside.write_text("two")
        assert path.read_text() == "one\n" and aside.parent == path.parent
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("durable", [False, True])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.bin"
    write_bytes(path, b"old", durable=durable)
    with pytest.raises(ValueError), written_aside(path, durable=durable) as aside:
        aside.write_bytes(b"half")
        raise ValueError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_durable_bytes_are_flushed_before_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = files.os.fsync, files.os.replace
    monkeypatch.setattr(files.os, "fsync", lambda n: (order.append("sync"), sync(n)))
    monkeypatch.setattr(files.os, "replace", lambda a, b: (order.append("rename"), replace(a, b)))
    write_bytes(tmp_path / "a", b"x", durable=True)
    write_bytes(tmp_path / "b", b"x")
    assert order == ["sync", "rename", "rename"]


@pytest.mark.parametrize("swaps", [True, False])
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool, there: bool
) -> None:
    if not swaps:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    new, folder, before = tmp_path / "new", tmp_path / "folder", tmp_path / "before"
    write_text(new / "a", "new")
    if there:
        write_text(folder / "a", "old")
    put_folder(new, folder, before)
    assert (folder / "a").read_text() == "new"
    left = [p for p in (new, before) if p.exists()]
    assert [(p / "a").read_text() for p in left] == ["old"] * there


def test_a_folder_that_cannot_be_moved_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    folder = tmp_path / "folder"
    write_text(folder / "a", "old")
    with pytest.raises(OSError):
        put_folder(tmp_path / "absent", folder, tmp_path / "before")
    assert (folder / "a").read_text() == "old" and list(tmp_path.iterdir()) == [folder]


def test_a_digest_is_read_anew_or_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert sha256(path) == file_digest(path) == known
