"""Cells on Dask: the same bytes as here, whoever is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from clusters import Suite, is_alive, parents, until, waiting_suite

pytest.importorskip("distributed")
TWO = ("--executor", "dask", "--set", "executor.workers=2")


def test_a_cluster_of_two_gives_the_bytes_of_a_local_run(tmp_path: Path) -> None:
    suite = Suite(tmp_path, waiting_suite(2, 0.1))
    suite.run("local")
    printed = suite.run("dask", *TWO)
    assert "2 at a time" in printed
    assert suite.results("dask") == suite.results("local") and len(suite.results("dask")) > 4


@pytest.mark.slow
def test_a_cluster_that_grows_from_no_worker_gives_them_too(tmp_path: Path) -> None:
    suite = Suite(tmp_path, waiting_suite(2, 0.1))
    suite.run("local")
    printed = suite.run("dask", "--executor", "dask", "--set", "executor.maximum=2")
    assert "2 at a time" in printed
    assert suite.results("dask") == suite.results("local") and len(suite.results("dask")) > 4


@contextmanager
def scheduler(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with _process(
        folder, "scheduler", "--host", "127.0.0.1", "--port", f"{port}", "--no-dashboard"
    ) as p:
        yield p


@contextmanager
def worker(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    more = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
    with _process(folder, "worker", f"tcp://127.0.0.1:{port}", *more) as process:
        yield process


@contextmanager
def _process(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(exist_ok=True)
    with open(folder / f"{words[0]}.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


@pytest.mark.slow
def test_a_worker_a_client_and_the_scheduler_are_killed_in_turn(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    suite = Suite(tmp_path, waiting_suite(6, 4.0, marks))
    suite.run("local", "--jobs", "6")
    for mark in list(marks.iterdir()):
        mark.unlink()
    at, logs = port(), tmp_path / "dask"
    on_dask = ("--executor", "dask", "--set", f"executor.address=tcp://127.0.0.1:{at}")
    with scheduler(logs, at) as first, worker(logs, at) as one, worker(logs, at):
        run = suite.start("dask", *on_dask, "--set", "executor.slots=2")
        # A worker in mid-cell, with Dask's process above it: the other one takes the cell.
        mark = until(lambda: [m for m in marks.glob("*") if _below(m, one.pid)])[0]
        _kill_group(one)
        cell = int(mark.name.split("-")[1])
        until(lambda: not is_alive(cell), 10)
        before = len(list(marks.iterdir()))
        until(lambda: len(list(marks.iterdir())) > before)
        # The client: what it handed in goes on, and the next one attaches to it.
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        run = suite.start("dask", *on_dask, "--set", "executor.slots=2")
        before = len(list(marks.iterdir()))
        until(lambda: len(list(marks.iterdir())) > before)
        _kill_group(first)
        # The scheduler: another at the same place, with new workers.
        with scheduler(logs, at), worker(logs, at), worker(logs, at):
            suite.end("dask", run)
    assert suite.results("dask") == suite.results("local")
    assert "cached" in suite.run("dask", *on_dask)


def _below(mark: Path, pid: int) -> bool:
    """Whether the cell that left a mark runs below a process."""
    return pid in parents(int(mark.name.split("-")[1]))
