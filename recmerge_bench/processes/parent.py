"""A process does not outlive its parent, and what it leaves behind comes to whoever adopts."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Environment variable that tells a worker its parent's process number.
PARENT = "RECMERGE_BENCH_PARENT"
_DEATH_SIGNAL, _SET_SUBREAPER, _GET_SUBREAPER = 1, 36, 37  # linux/prctl.h


def prctl(option: int, *arguments: int) -> int:
    """prctl(2); -1 where it fails."""
    given = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return int(ctypes.CDLL(None).prctl(ctypes.c_int(option), *given))


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the process `parent`, which started it, dies.

    Elsewhere than on Linux a thread looks once a second.
    """
    if sys.platform == "linux":
        prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def adopting() -> Iterator[None]:
    """Orphans below this process become its children (Linux: PR_SET_CHILD_SUBREAPER)."""
    before = ctypes.c_int(0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_GET_SUBREAPER, ctypes.byref(before), 0, 0, 0)
        prctl(_SET_SUBREAPER, 1)
    try:
        yield
    finally:
        if sys.platform == "linux":
            prctl(_SET_SUBREAPER, before.value)


def children() -> set[int]:
    """Processes whose parent is this one, dead ones that nobody asked for included."""
    pids: set[int] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            stat = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if int(stat[1]) == os.getpid():
                pids.add(int(folder.name))
    return pids


def below(pid: int) -> list[int]:
    """A process's children and theirs, as far as they can be seen now."""
    own: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError, ValueError):
            own += map(int, file.read_text().split())
    return [*own, *(later for child in own for later in below(child))]


def kill_all(first: int, before: set[int], patience: float = 10.0) -> None:
    """Kill a child, its group, and whatever below it has become a child of this process.

    Args:
        first: a child that leads its own session; it is waited for already or will be here.
        before: children that are nobody's business here.
        patience: seconds after which it gives up on what cannot be killed.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(first, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(first, 0)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        left = {pid for pid in children() - before if _strange(pid)}
        if not left:
            return
        for pid in left:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.005)


def _strange(pid: int) -> bool:
    """Whether a child is of another session: what this process itself starts mostly is not."""
    try:
        return os.getsid(pid) != os.getsid(0)
    except OSError:
        return False
