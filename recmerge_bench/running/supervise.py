"""One process for one cell: what it leaves in itself goes with it, and nothing that it does counts.

The supervisor runs no stranger's code. It holds the cell's lock, starts the cell's process by a
fork (imports are paid once), reads what it says and prints in bounds, kills it at the deadline
with everything that it started, and believes the store alone that the cell is done.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import selectors
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from recmerge_bench.objects.store import StoreError
from recmerge_bench.processes.kernel import killed_for_memory, memory_kills
from recmerge_bench.processes.landlock import confine_signals
from recmerge_bench.processes.memory_limit import memory_together
from recmerge_bench.processes.parent import adopting, below, children, die_with, kill_all
from recmerge_bench.processes.words import event_of, failure, how_it_died
from recmerge_bench.running.early_imports import WhileWaiting, import_for
from recmerge_bench.running.leases import held
from recmerge_bench.running.mirror import place_of
from recmerge_bench.running.provenance import provenance
from recmerge_bench.running.store import Busy, Store
from recmerge_bench.sizes import size_text

Emit = Callable[[dict[str, Any]], None]
Cell = Callable[[Mapping[str, Any], Emit], None]

#: Bytes that one cell may put into the log, and of its end that a crash's report repeats.
LOG, TAIL = 1 << 20, 4_000
#: Bytes of a message; a longer one is noise.
LINE = 1 << 20
#: Seconds between two progress messages that are passed on.
EVERY = 0.05
#: Seconds between two looks at the memory of a cell that may take so much and no more.
LOOK = 0.05
#: Seconds between two looks whether a cell waits, as long as later ones need something imported.
TURN = 0.2
#: Whether cells have processes of their own.
FORKS = sys.platform == "linux"


class ParentGone(Exception):
    """Whoever asked for the cell is not there any more."""


def supervise(job: Mapping[str, Any], emit: Emit, cell: Cell, asked: int | None = None) -> None:
    """Run a cell in a process of its own and say how it ended: done, busy, blocked or failed.

    Args:
        job: see `recmerge_bench.running.jobs`.
        emit: takes events.
        cell: what the process runs; it puts the cell into the store and says what went wrong.
        asked: a descriptor that ends when whoever asked for the cell dies.

    Raises:
        ParentGone: it has ended; the cell's process is killed.
    """
    store, key = Store(place_of(job["out"])), job["key"]
    import_for(job)
    provenance()  # git's words too: asked once, and not by every cell's process
    try:
        with store.lock(key, patient=True):
            if not store.sound(key):
                emit(started(key))
                emit(_Supervisor(store, job, emit, asked).run(cell))
            else:
                emit({"event": "done", "key": key})
    except Busy:
        emit({"event": "busy", "key": key})
    except StoreError as error:
        emit(failure(key, str(error), handled=True))


def started(key: str) -> dict[str, Any]:
    """The event that a cell's computation begins, from which its deadline counts."""
    return {"event": "started", "key": key, "host": platform.node(), "process": os.getpid()}


class _Supervisor:
    def __init__(self, store: Store, job: Mapping[str, Any], emit: Emit, asked: int | None) -> None:
        self.store, self.job, self.emit, self.asked = store, job, emit, asked
        self.key = job["key"]
        self.lease, self.fenced = held(self.key), False
        self.most, self.over = job.get("max_memory"), 0
        self.rest, self.tail, self.logged = b"", b"", 0
        self.last: dict[str, Any] | None = None
        self.passed_on = self.looked = 0.0
        self.pid = self.bytes = 0

    def run(self, cell: Cell) -> dict[str, Any]:
        before, kills = children(), memory_kills()
        with adopting():
            spoken, saying = os.pipe()
            printed, printing = os.pipe()
            pid = _fork()
            if pid == 0:
                _in_child(self.job, cell, saying, printing)
            os.close(saying)
            os.close(printing)
            self.pid = pid
            try:
                status = self._watch(pid, {spoken: self._on_words, printed: self._on_prints})
            finally:
                kill_all(pid, before)
                self.store.clear(self.key)
                with suppress(OSError):  # a stray that cannot be killed may hold the other end
                    self._rest_of(spoken, self._on_words)
                    self._rest_of(printed, self._on_prints)
                os.close(spoken)
                os.close(printed)
        return self._outcome(status, pid, kills)

    def _watch(self, pid: int, pipes: dict[int, Callable[[bytes], None]]) -> int | None:
        """The child's wait status, or None where it had to be killed.

        That is at its deadline, and where another process has taken the cell over.
        """
        with selectors.DefaultSelector() as selector:
            for pipe in pipes:
                selector.register(pipe, selectors.EVENT_READ)
            if self.asked is not None:
                selector.register(self.asked, selectors.EVENT_READ)
            ended = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None
            if ended is None:
                return self._until_ended(pid, pipes, selector, every=0.05)
            try:
                selector.register(ended, selectors.EVENT_READ)
                every = 1.0 if self.most is None else LOOK
                return self._until_ended(pid, pipes, selector, every)
            finally:
                os.close(ended)

    def _until_ended(
        self, pid: int, pipes: dict[int, Callable[[bytes], None]],
        selector: selectors.BaseSelector, every: float,
    ) -> int | None:  # fmt: skip
        """Take what comes, and look at least `every` seconds whether the child has ended."""
        deadline = time.monotonic() + float(self.job["timeout"])
        # Where memory is bounded a cell is watched too closely for it.
        later = WhileWaiting(pid, self.job.get("later", ()) if self.most is None else ())
        while True:
            for entry, _ in selector.select(min(every, TURN) if later.pending() else every):
                self._take(entry.fd, pipes, selector)
            later.look()
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return status
            if self.lease is not None and not self.lease.beat():
                self.fenced = True
            self.over = 0 if self.most is None else over(pid, self.most)
            if self.fenced or self.over or time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None

    def _take(
        self, handle: int, pipes: dict[int, Callable[[bytes], None]],
        selector: selectors.BaseSelector,
    ) -> None:  # fmt: skip
        if handle == self.asked:
            if not os.read(handle, 1):
                raise ParentGone
            return
        if handle not in pipes:
            return
        data = os.read(handle, 1 << 16)
        if data:
            pipes[handle](data)
        else:
            selector.unregister(handle)

    def _rest_of(self, pipe: int, take: Callable[[bytes], None]) -> None:
        os.set_blocking(pipe, False)
        while data := os.read(pipe, 1 << 16):
            take(data)

    def _on_words(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.rest = self.rest if len(self.rest) <= LINE else b""
        for line in lines:
            event = event_of(line, self.key) if len(line) <= LINE else None
            if event is None or self.last is not None or event["event"] == "started":
                continue
            if event["event"] != "progress":
                self.last = event
            elif time.monotonic() - self.passed_on > EVERY:
                self.passed_on = time.monotonic()
                self.emit({**event, "memory": self._memory()})

    def _memory(self) -> int:
        """Bytes that the cell's processes have, looked at once a second at most."""
        if time.monotonic() - self.looked > 1.0:
            self.looked = time.monotonic()
            self.bytes = memory_together((self.pid, *below(self.pid)), 0)
        return self.bytes

    def _on_prints(self, data: bytes) -> None:
        self.tail = (self.tail + data)[-TAIL:]
        if self.logged < LOG:
            _write(2, data[: LOG - self.logged])
            if self.logged + len(data) > LOG:
                _write(2, b"\n[... more than 1 MiB of this cell's output ...]\n")
        self.logged += len(data)

    def _outcome(self, status: int | None, pid: int, kills: int) -> dict[str, Any]:
        if self.store.intact(self.key):
            return {"event": "done", "key": self.key}
        if self.fenced:
            return {"event": "busy", "key": self.key}
        printed = self.tail.decode(errors="replace")
        if status is None and self.most is not None and self.over:
            error = (
                f"killed: it took {size_text(self.over)} of memory, and had {size_text(self.most)} "
                "of the run's --max-memory"
            )
            return failure(self.key, error, printed, handled=True, out_of_memory=True)
        if status is None:
            error = f"killed after {float(self.job['timeout']):.0f} s, its time limit"
            return failure(self.key, error, printed, timeout=True)
        if self.last and self.last["event"] in ("failed", "blocked", "busy"):
            return self.last
        code = os.waitstatus_to_exitcode(status)
        memory = code == -signal.SIGKILL and killed_for_memory(pid, kills)
        return failure(self.key, how_it_died(code, memory), printed, out_of_memory=memory)


def over(pid: int, most: int) -> int:
    """Bytes that a cell's processes have, where these are more than they may have; else 0."""
    have = memory_together((pid, *below(pid)), most)
    return have if have > most else 0


def _fork() -> int:
    gc.collect()
    gc.freeze()  # what is there now is shared with the child, not copied by its collections
    with warnings.catch_warnings():
        # Python 3.12 warns of threads: numpy's wait for work and survive a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _in_child(job: Mapping[str, Any], cell: Cell, saying: int, printing: int) -> None:
    """Become the cell's process; never returns."""
    code = 1
    try:
        parent = os.getppid()
        os.setsid()
        die_with(parent)
        nothing = os.open(os.devnull, os.O_RDWR)
        for place, source in ((0, nothing), (1, printing), (2, printing)):
            os.dup2(source, place)
        sys.stdout, sys.stderr = (os.fdopen(n, "w", errors="replace") for n in (1, 2))
        for start, end in _between(saying):
            os.closerange(start, end)
        with suppress(OSError):  # the kernel takes the cell first, the run last
            Path("/proc/self/oom_score_adj").write_text("500")
        confine_signals()
        me = os.getpid()
        try:
            cell(job, lambda event: _write(saying, (json.dumps(event) + "\n").encode()))
            code = 0
        finally:
            if os.getpid() != me:  # a fork that came back from the method
                os._exit(0)
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
    finally:
        os._exit(code)


def _between(kept: int) -> list[tuple[int, int]]:
    return [(3, kept), (kept + 1, os.sysconf("SC_OPEN_MAX"))]


def _write(handle: int, data: bytes) -> None:
    with suppress(OSError):
        while data:
            data = data[os.write(handle, data) :]
