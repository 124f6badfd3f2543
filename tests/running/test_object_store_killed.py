"""The object store's server is killed while a run is at work: nothing that it held is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Suite, until, waiting_suite
from s3_server import s3_server

from recmerge_bench.objects.address import objects_at

#: What stands before the server: killed, it refuses connections, and cuts those that are open.
DOOR = """
import socket, sys, threading

def pass_on(one, other):
    try:
        while data := one.recv(1 << 16):
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

door = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = door.accept()
    server = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()
"""


class Door:
    """A process through which alone a server can be reached."""

    def __init__(self, server: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.server = server
        self.open()

    def open(self) -> None:
        command = [sys.executable, "-c", DOOR, str(self.port), str(self.server)]
        self.process = subprocess.Popen(command)
        until(self._answers)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with s3_server():
        made = Door(int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]))
        yield made
        made.kill()


@pytest.mark.slow
def test_a_server_that_is_killed_in_mid_run(door: Door, tmp_path: Path) -> None:
    """Twice: the run ends in a line, the next one goes on, and ends with the board of a folder."""
    suite = Suite(tmp_path, waiting_suite(4, 1.0))
    suite.run("local", "--jobs", "2")
    address = f"s3://bench/{tmp_path.name}/run"
    behind = {**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{door.port}"}
    command = suite.command("unused", "--jobs", "2")
    command[command.index("--out") + 1] = address
    objects, ends = objects_at(address), list[int]()

    def records() -> dict[str, int]:
        return objects.sizes("store")

    for kept in (3, 6):
        with subprocess.Popen(
            command, env=behind, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as run:
            # On a machine with much else to do a cell takes its time.
            until(lambda: len(records()) >= kept or run.poll() is not None, 300)  # noqa: B023
            before = records()
            door.kill()
            ends.append(run.wait(300))
            words = run.stderr.read().decode() if run.stderr else ""
        assert "Traceback" not in words and "StoreError" not in words, words
        door.open()
        assert records().items() >= before.items()
    final = subprocess.run(command, env=behind, capture_output=True, text=True)
    assert final.returncode == 0, final.stdout + final.stderr
    print(f"\nserver killed {len(ends)} times, the runs ended with {ends}; the last with 0")
    board = objects.read("boards/waits.md")
    assert 0 not in ends, "they cannot have ended well without their store"
    assert board == (tmp_path / "local" / "boards" / "waits.md").read_bytes()
