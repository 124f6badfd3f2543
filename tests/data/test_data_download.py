"""Raw files: checksums, resuming, mirrors, trust on first use."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recmerge_bench.errors import Blocked, DataError, HandledError
from recmerge_bench.toolkit.data import download
from recmerge_bench.toolkit.data.download import RemoteFile, check, fetch, locate

CONTENT = bytes(range(256)) * 4096
SHA = hashlib.sha256(CONTENT).hexdigest()


class Mirror(ThreadingHTTPServer):
    """Serves CONTENT; breaks off after `limit` bytes while `breaks` lasts."""

    limit = len(CONTENT)
    breaks = 0
    ranges = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        if self.path != "/data.bin":
            self.send_error(404)
            return
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            body = body[: self.server.limit]
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setattr(download, "PAUSE", 0.0)
    monkeypatch.setattr(download, "CHUNK", 1000)
    server = Mirror()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def wanted(url: str = "http://127.0.0.1:9/none", sha: str | None = SHA) -> list[RemoteFile]:
    return [RemoteFile("data.bin", url, sha)]


def test_fetches_once_and_checks(mirror: Mirror, tmp_path: Path) -> None:
    [path] = fetch(wanted(f"{mirror.url}/data.bin"), "some", tmp_path)
    assert path == tmp_path / "some" / "data.bin" and path.read_bytes() == CONTENT
    fetch(wanted(f"{mirror.url}/data.bin"), "some", tmp_path)
    assert len(mirror.asked) == 1
    assert locate(wanted(), "some", tmp_path) == [path]


def test_goes_on_where_it_broke_off(mirror: Mirror, tmp_path: Path) -> None:
    mirror.breaks, mirror.limit = 2, 300_000
    [path] = fetch(wanted(), "some", tmp_path, mirror.url)
    assert path.read_bytes() == CONTENT
    assert [r for _, r in mirror.asked] == [None, "bytes=300000-", "bytes=600000-"]
    assert sorted(p.name for p in path.parent.iterdir()) == ["data.bin"]


def test_starts_again_where_the_mirror_knows_no_ranges(mirror: Mirror, tmp_path: Path) -> None:
    mirror.breaks, mirror.limit, mirror.ranges = 1, 1000, False
    [path] = fetch(wanted(), "some", tmp_path, mirror.url)
    assert path.read_bytes() == CONTENT


def test_a_broken_download_is_kept_for_the_next_command(mirror: Mirror, tmp_path: Path) -> None:
    mirror.breaks, mirror.limit = 3, 1000
    with pytest.raises(HandledError, match="run the command again"):
        fetch(wanted(), "some", tmp_path, mirror.url)
    assert not (tmp_path / "some" / "data.bin").exists()
    fetch(wanted(), "some", tmp_path, mirror.url)
    assert mirror.asked[-1][1] == "bytes=3000-"


def test_a_part_that_is_already_whole(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / ".data.bin.part").write_bytes(CONTENT)
    [path] = fetch(wanted(), "some", tmp_path, mirror.url)
    assert path.read_bytes() == CONTENT


def test_a_wrong_file_is_not_kept(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(HandledError, match="not the right file"):
        fetch(wanted(sha="0" * 64), "some", tmp_path, mirror.url)
    assert list((tmp_path / "some").iterdir()) == []


def test_not_found_is_told_at_once(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(HandledError, match="404"):
        fetch(wanted(f"{mirror.url}/other"), "some", tmp_path)
    assert len(mirror.asked) == 1


def test_a_folder_is_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "data.bin").write_bytes(CONTENT)
    [path] = fetch(wanted(), "some", tmp_path / "home", str(tmp_path / "mirror"))
    assert path.read_bytes() == CONTENT
    with pytest.raises(HandledError, match="has no other"):
        fetch([RemoteFile("other", "")], "some", tmp_path / "home", str(tmp_path / "mirror"))


def test_trust_on_first_use(tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(CONTENT)
    [path] = fetch(wanted(sha=None), "some", tmp_path / "home", str(tmp_path))
    assert SHA in path.with_name("data.bin.sha256").read_text()
    path.write_bytes(b"other")
    with pytest.raises(DataError, match="SHA-256"):
        check(path, wanted(sha=None)[0])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"\n <!DOCTYPE html><p>quota", "web page"), (b"<html>", "web page")],
)
def test_no_data_is_taken_on_trust(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(content)
    with pytest.raises(HandledError, match=message):
        fetch(wanted(sha=None), "some", tmp_path / "home", str(tmp_path))
    assert list((tmp_path / "home" / "some").iterdir()) == []
    with pytest.raises(DataError, match=message):
        check(tmp_path / "data.bin", wanted(sha=None)[0])
    assert not (tmp_path / "data.bin.sha256").exists()


def test_more_than_announced_of_another_file_is_begun_again(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / ".data.bin.part").write_bytes(CONTENT + b"of a longer file")
    [path] = fetch(wanted(sha=None), "some", tmp_path, mirror.url)
    assert path.read_bytes() == CONTENT


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    for name, dataset in (("../up.bin", "some"), ("data.bin", "../some"), ("/etc/passwd", "x")):
        with pytest.raises(HandledError, match="cannot be part of a file's name"):
            locate([RemoteFile(name, "")], dataset, tmp_path)


def test_missing_files_tell_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Blocked) as blocked:
        locate(wanted(), "some", tmp_path)
    assert "data.bin not found" in blocked.value.reason
    assert blocked.value.remedy.startswith("recmerge-bench datasets prepare some --data-root")


def test_the_home_of_raw_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert download.data_home(tmp_path) == tmp_path
    monkeypatch.setenv("RECMERGE_BENCH_DATA", str(tmp_path / "named"))
    assert download.data_home(None) == tmp_path / "named"
    monkeypatch.delenv("RECMERGE_BENCH_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert download.data_home(None) == tmp_path / "cache" / "recmerge-bench"
