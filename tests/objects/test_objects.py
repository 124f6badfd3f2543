"""Object stores: a folder, fsspec's memory and an S3 server do the same."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_server import s3_server

from recmerge_bench.errors import HandledError
from recmerge_bench.objects import folder
from recmerge_bench.objects.address import committed_flaw, is_remote, objects_at
from recmerge_bench.objects.remote import Remote
from recmerge_bench.objects.store import Objects, StoreError


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "folder":
        return objects_at(tmp_path / "objects")
    if request.param == "memory":
        return objects_at(f"memory://{tmp_path.name}/objects")
    address = request.getfixturevalue("s3")
    return objects_at(f"{address}/{tmp_path.name}")


def test_what_is_put_is_read(store: Objects, tmp_path: Path) -> None:
    assert store.sizes("files") == {} and store.size("files/ab/one") is None
    store.put("files/ab/one", b"12345")
    file = tmp_path / "source"
    file.write_bytes(b"x" * 100_000)
    store.put("files/cd/two", file)
    assert store.sizes("files") == {"files/ab/one": 5, "files/cd/two": 100_000}
    assert store.sizes("files/ab") == {"files/ab/one": 5}
    assert store.read("files/ab/one") == b"12345" and store.size("files/cd/two") == 100_000
    store.fetch("files/cd/two", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()
    store.put("files/ab/one", b"other")
    assert store.read("files/ab/one") == b"other"
    store.remove("files/ab/one")
    store.remove("files/ab/one")
    assert store.size("files/ab/one") is None


def test_what_is_not_there_is_no_error_of_the_store(store: Objects, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("files/none")
    with pytest.raises(FileNotFoundError):
        store.fetch("files/none", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_of_many_writers_one_wins(store: Objects) -> None:
    assert store.exclusive
    wins: list[int] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        if store.put_new("records/one", str(number).encode()):
            wins.append(number)

    if store.address.startswith("memory://"):  # one process's dictionary: one after the other
        wins += [n for n in range(8) if store.put_new("records/one", str(n).encode())]
    else:
        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(wins) == 1
    assert store.read("records/one") == str(wins[0]).encode()
    assert not store.put_new("records/one", b"late")


def _in_a_fork(store: Objects) -> None:
    store.put("files/child", store.read("files/parent"))


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_fork_makes_connections_of_its_own(s3: str, tmp_path: Path) -> None:
    store = objects_at(f"{s3}/{tmp_path.name}")
    store.put("files/parent", b"of the parent")
    child = multiprocessing.get_context("fork").Process(target=_in_a_fork, args=(store,))
    child.start()
    child.join(30)
    assert child.exitcode == 0 and store.read("files/child") == b"of the parent"


def test_a_store_that_does_not_answer_is_one_line(s3: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="s3://no-such-bucket"):
        objects_at("s3://no-such-bucket/x").put("a", b"1")
    with pytest.raises(StoreError, match="nosuchscheme://x"):
        objects_at("nosuchscheme://x").size("a")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        objects_at(tmp_path / "file" / "below").put("a", b"1")


def test_a_scheme_whose_package_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(StoreError, match="pip install gcsfs"):
        objects_at("gs://bucket").size("a")


def test_names_that_lead_out_of_a_folder(tmp_path: Path) -> None:
    for name in ("../x", "a/../../x", "/etc/passwd", ""):
        with pytest.raises(HandledError):
            objects_at(tmp_path / "objects").put(name, b"1")


def test_addresses() -> None:
    assert is_remote("s3://bucket/x") and is_remote("memory://x")
    assert not is_remote("runs") and not is_remote("file:///tmp/x")
    assert not Remote("sftp://host/x").exclusive
    for wrong in ("", "simplecache::s3://bucket", "S3://bucket", "a b://c"):
        with pytest.raises(HandledError):
            objects_at(wrong)
    for fine in ("s3://bucket/ranks", "https://host/ranks", "ranks"):
        assert committed_flaw(fine) == ""
    for wrong in ("ssh://host/x", "memory://x", "/etc", "../x", "file:///etc", "a::s3://b", 3):
        assert committed_flaw(wrong), wrong


def test_a_writer_publishes_its_own_bytes_whatever_another_is_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads share a process; machines that share a folder may have processes of one number."""
    begun, ended = threading.Event(), threading.Event()
    write, linked = folder._write, folder._linked
    store, won = objects_at(tmp_path), []
    late = threading.Thread(target=lambda: won.append(store.put_new("one", b"slow")))

    def slow(aside: Path, source: Path | bytes) -> None:
        if source == b"slow":
            aside.write_bytes(b"sl")
            begun.set()
            ended.wait(10)
        write(aside, source)

    def meanwhile(aside: Path, path: Path) -> bool:
        if not late.ident:  # the other begins after this one has written, before it gives the name
            late.start()
            assert begun.wait(10)
        return linked(aside, path)

    monkeypatch.setattr(folder, "_write", slow)
    monkeypatch.setattr(folder, "_linked", meanwhile)
    assert store.put_new("one", b"quick") and store.read("one") == b"quick"
    ended.set()
    late.join()
    assert won == [False] and [p.name for p in tmp_path.iterdir()] == ["one"]


def test_what_goes_while_a_folder_is_listed_is_not_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = objects_at(tmp_path)
    store.put("files/one", b"1")
    store.put("files/two", b"22")
    is_file = Path.is_file

    def gone(path: Path) -> bool:
        there = is_file(path)
        if path.name == "one":
            path.unlink(missing_ok=True)
        return there

    monkeypatch.setattr(Path, "is_file", gone)
    assert store.sizes("files") == {"files/two": 2} and store.size("files/one") is None
