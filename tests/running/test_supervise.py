"""A cell's process: whatever it does, the run goes on, and nothing of it is left."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench.processes import kernel, landlock
from recmerge_bench.processes.words import clean, error_text, event_of, first_line
from recmerge_bench.running import supervise as module
from recmerge_bench.running.store import Store
from recmerge_bench.running.supervise import ParentGone, supervise

KEY = "ab" * 32
linux = pytest.mark.skipif(not module.FORKS, reason="cells have processes of their own on Linux")
pytestmark = linux


def ended(out: Path, cell: Callable[[], None], timeout: float = 60, **more: Any) -> dict[str, Any]:
    """The last event of a cell whose process calls `cell`."""
    job = {"key": KEY, "kind": "data", "config": {}, "out": str(out), "timeout": timeout}
    events: list[dict[str, Any]] = []
    supervise(job, events.append, lambda job, emit: cell(), **more)
    assert not (out / "tmp" / KEY).exists()
    with Store(out).lock(KEY):
        return events[-1]


def commit(out: Path) -> None:
    store = Store(out)
    with store.writing(KEY) as folder:
        (folder / "a.txt").write_text("x")
        store.commit(KEY, folder, {})


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_store_says_whether_a_cell_is_done(tmp_path: Path) -> None:
    assert ended(tmp_path / "a", lambda: commit(tmp_path / "a"))["event"] == "done"

    def silent() -> None:
        commit(tmp_path / "b")
        os.closerange(0, 100)
        os._exit(3)

    assert ended(tmp_path / "b", silent)["event"] == "done"
    text = b'{"event": "done", "key": "%s"}\n' % KEY.encode()

    def liar() -> None:
        for handle in range(3, 30):
            try:
                os.write(handle, b'{"event": "done", "key": "zzz"}\nnot json\n' + text)
            except OSError:
                pass

    event = ended(tmp_path / "c", liar)
    assert event["event"] == "failed" and "ended before it was done" in event["error"]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by signal 9 (SIGKILL)"),
        (os.abort, "killed by signal 6 (SIGABRT)"),
        (lambda: os._exit(7), "exit status 7"),
        (lambda: ctypes.string_at(0), "killed by signal 11 (SIGSEGV)"),
        (lambda: sys.exit(0), "ended before it was done"),
    ],
)
def test_deaths_are_told_as_they_were(
    tmp_path: Path, how: Callable[[], None], message: str
) -> None:  # fmt: skip
    event = ended(tmp_path, how)
    assert message in event["error"] and not event["out_of_memory"] and not event["timeout"]


@pytest.mark.parametrize("way", ["fork", "setsid", "twice", "C"])
@pytest.mark.parametrize("end", ["exit", "hang"])
def test_what_a_cell_started_ends_with_it(tmp_path: Path, way: str, end: str) -> None:
    def cell() -> None:
        fork = ctypes.CDLL(None).fork if way == "C" else os.fork
        if fork() == 0:
            if way != "fork":
                os.setsid()
            if way != "twice" or os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                (tmp_path / "pid").write_text(str(os.getpid()))
                time.sleep(60)
            os._exit(0)
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.01)
        if end == "hang":
            time.sleep(60)

    event = ended(tmp_path / "out", cell, 0.8 if end == "hang" else 60)
    assert event["timeout"] == (end == "hang")
    assert not alive(int((tmp_path / "pid").read_text()))


def test_a_fork_holds_no_lock(tmp_path: Path) -> None:
    store = Store(tmp_path)
    hears, says = os.pipe()
    with store.lock(KEY):
        pid = os.fork()
        if pid == 0:
            os.write(says, b"!")
            time.sleep(60)
            os._exit(0)
        os.read(hears, 1)
    os.close(hears)
    os.close(says)
    try:
        with store.lock(KEY):
            assert alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_cell_ends_with_whoever_asked_for_it(tmp_path: Path) -> None:
    hears, asks = os.pipe()
    threading.Timer(0.3, os.close, (asks,)).start()
    start = time.monotonic()
    with pytest.raises(ParentGone):
        ended(tmp_path, lambda: time.sleep(60), asked=hears)
    assert time.monotonic() - start < 30
    os.close(hears)
    with Store(tmp_path).lock(KEY):
        pass


@pytest.mark.skipif(landlock.version() < 6, reason="this kernel's Landlock knows no signals")
def test_a_cell_cannot_kill_its_run(tmp_path: Path) -> None:
    def cell() -> None:
        try:
            os.kill(os.getppid(), signal.SIGKILL)
        except PermissionError:
            commit(tmp_path)

    assert ended(tmp_path, cell)["event"] == "done"


def test_prints_are_bounded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def cell() -> None:
        for _ in range(300):
            print("x" * 100_000)
        print("the end", flush=True)

    event = ended(tmp_path, cell)
    output = capfd.readouterr().err
    assert module.LOG <= len(output) < module.LOG + 200 and "of this cell's output" in output
    assert "the end" in event["traceback"] and len(event["traceback"]) <= module.TAIL


def test_states_do_not_pass_to_the_next_cell(tmp_path: Path) -> None:
    import resource

    before = (os.getcwd(), os.umask(0o022), resource.getrlimit(resource.RLIMIT_NOFILE))

    def cell() -> None:
        import torch

        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        os.chdir("/")
        os.umask(0o777)
        os.environ["LEFT"] = "here"
        sys.setrecursionlimit(100)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    ended(tmp_path / "a", cell)
    import torch

    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()
    now = (os.getcwd(), os.umask(before[1]), resource.getrlimit(resource.RLIMIT_NOFILE))
    assert now[0] == before[0] and now[2] == before[2] and "LEFT" not in os.environ
    assert ended(tmp_path / "b", lambda: commit(tmp_path / "b"))["event"] == "done"


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no str")


def test_words_are_bounded_and_of_one_encoding() -> None:
    assert error_text(_Mute()) == "_Mute: (its text cannot be had: RuntimeError)"
    assert error_text(ValueError("\ud800")) == "ValueError: \\ud800"
    assert len(error_text(ValueError("y" * 30_000_000))) < 1100
    assert first_line("\n\n a \nb") == "a" and first_line("") == "no message"
    assert clean("x" * 10, 4) == "xx [... 6 characters ...] xx"


@pytest.mark.parametrize(
    "line",
    [b"", b"not json", b"[" * 100_000, b"3", b'{"event": "done", "key": "zzz"}',
     b'{"event": "gone", "key": "k"}', b'{"event": [], "key": "k"}', b"\xff\xfe"],
)  # fmt: skip
def test_noise_is_no_event(line: bytes) -> None:
    assert event_of(line, "k") is None


def test_events_have_known_parts() -> None:
    raw = {"event": "progress", "key": "k", "step": 3, "x": "y" * 9000, "z": [1], "n": 10**400}
    states = event_of(json.dumps(raw).encode(), "k")
    assert states is not None and len(json.dumps(states)) < 1000
    assert states["step"] == 3 and "z" not in states and "n" not in states
    failed = event_of(b'{"event": "failed", "key": "k", "error": 3, "handled": "yes"}', "k")
    assert failed == {"event": "failed", "key": "k", "error": "3", "traceback": "",
                      "handled": False, "out_of_memory": False, "timeout": False,
                      "lost": False}  # fmt: skip


def test_only_the_kernel_says_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\noom 3\noom_kill 2\n")
    assert kernel._counter(counter) == 2 and kernel._counter(tmp_path / "none") == 0
    log = "6,1;Out of memory: Killed process 4242 (python) total-vm:1kB"
    monkeypatch.setattr(kernel, "_log", lambda: log)
    assert kernel.killed_for_memory(4242, kernel.memory_kills())
    assert not kernel.killed_for_memory(42, kernel.memory_kills())
    monkeypatch.setattr(kernel, "_log", lambda: None)
    assert not kernel.killed_for_memory(4242, kernel.memory_kills())
    assert kernel.killed_for_memory(4242, kernel.memory_kills() - 1)


@pytest.mark.slow
def test_a_cell_that_eats_all_memory_of_its_group(tmp_path: Path) -> None:
    group = Path("/sys/fs/cgroup/memory/recmerge-bench-test")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(1 << 30))
    except OSError:
        pytest.skip("no control group can be made here")

    def cell() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        eaten = []
        while True:
            eaten.append(bytearray(b"x" * 50_000_000))

    try:
        event = ended(tmp_path, cell)
        assert event["out_of_memory"] and "out of memory" in event["error"]
    finally:
        group.rmdir()
