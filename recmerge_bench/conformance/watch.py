"""What a plugin reaches for beyond what it is handed: files, networks, processes, held-out data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recmerge_bench.data.sequences import Split

#: Audit events (see Python's table of them) -> what they are called in messages.
_EVENTS = {
    "open": "opened", "os.listdir": "listed", "os.scandir": "listed",
    "socket.connect": "connected to", "socket.getaddrinfo": "looked up",
    "subprocess.Popen": "started", "os.system": "started", "os.exec": "started",
    "os.posix_spawn": "started",
}  # fmt: skip
#: Code, and what the system says of the machine.
_CODE = (".py", ".pyc", ".so", ".pyi")
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/")
_CAUGHT: list[str] | None = None
_INSTALLED: list[bool] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _CAUGHT is None or event not in _EVENTS or not arguments:
        return
    target = arguments[0]
    if event in ("open", "os.listdir", "os.scandir"):
        if not isinstance(target, (str, bytes, os.PathLike)):
            return  # a handle that is open already, or the working directory
        target = os.path.realpath(os.fsdecode(target))
        if _harmless(target):
            return
    elif event == "socket.connect":
        target = arguments[1]
    _CAUGHT.append(f"{_EVENTS[event]} {target!s:.200}")


def _harmless(path: str) -> bool:
    installed = path.startswith((sys.prefix, sys.base_prefix))
    return path.endswith(_CODE) or path.startswith(_SYSTEM) or (installed and "python" in path)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is opened, connected to or started by Python meanwhile, other than code.

    Yields:
        a phrase for each: ``opened /home/me/ratings.csv``.
    """
    global _CAUGHT
    if not _INSTALLED:
        sys.addaudithook(_audit)  # for good: there is no way to take one off
        _INSTALLED.append(True)
    before, _CAUGHT = _CAUGHT, []
    try:
        yield _CAUGHT
    finally:
        _CAUGHT = before


class Bait(Split):
    """A split that remembers whether anyone looked into it: nobody is handed it.

    It lies in memory, and in the frames above a plugin's method, where something that walks
    through the interpreter's objects finds it.
    """

    touched: list[str]

    def __getattribute__(self, name: str) -> Any:
        """Note what of a split is asked for."""
        if name in ("sequences", "valid", "test"):
            object.__getattribute__(self, "touched").append(name)
        return object.__getattribute__(self, name)


def bait_of(split: Split) -> Bait:
    """Bait that looks like a split; `Bait.touched` is empty."""
    made = Bait(split.sequences, split.valid, split.test, split.report)
    object.__setattr__(made, "touched", [])
    return made


__all__ = ["Bait", "bait_of", "watched"]
