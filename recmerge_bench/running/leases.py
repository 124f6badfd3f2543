"""Leases: who computes a cell, on any store that machines share; no lock of a kernel needed.

A lease is an object ``leases/KEY.GENERATION`` that one writer can create (`Objects.put_new`). Its
holder changes it every few seconds. Whoever wants the cell watches it, by its own clock: one that
does not change for `TTL` seconds is a dead holder's, and the next generation is created, again by
one alone. Stamps are compared by nobody, so clocks may differ and go backwards.

Fencing: a holder that was suspended, or cut off from the store, finds a later generation (or its
own object gone) when it comes back. It then stops its cell, and it asks once more before it puts a
result into the store: a late worker overwrites nothing. One that cannot reach the store for `TTL`
seconds stops by itself. Within a machine a dead holder is known at once by its process number.

What is promised rests on `Objects.exclusive`. On NFS, `TTL` has to be longer than attributes are
cached (``acdirmax``, 60 s unless mounted otherwise): set ``RECMERGE_BENCH_LEASE`` to seconds.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from recmerge_bench.objects.store import Objects, StoreError

#: Environment variable with the seconds after which a lease that does not change is over.
ENVIRONMENT = "RECMERGE_BENCH_LEASE"
TTL = 60.0
#: Changes within that time, so that a few may come late.
BEATS = 12
#: Seconds between two looks at another's lease.
LOOK = 0.25
#: Below it lie the leases of a store.
PREFIX = "leases"


class Busy(Exception):
    """Another process is at work on this cell."""


class Fenced(Exception):
    """This process was at work on a cell that another has taken over meanwhile."""


def ttl() -> float:
    """Seconds after which a lease that does not change is over."""
    return float(os.environ.get(ENVIRONMENT, TTL))


def clock() -> float:
    """Seconds that pass while the machine sleeps, too, and never go backwards."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@cache
def _machine() -> str:
    """What tells this machine, since it was started, and its process numbers from others."""
    parts = [platform.node()]
    for what in (lambda: Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
                 lambda: os.readlink("/proc/self/ns/pid")):  # fmt: skip
        with suppress(OSError):
            parts.append(what())
    return " ".join(parts)


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks: another of the same number began later.

    Empty where there is none or it has ended; ``?`` where the system does not tell.
    """
    if not Path("/proc/self/stat").exists():
        with suppress(PermissionError):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return ""
        return "?"
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if stat[0] in "ZX" else stat[19]


@dataclass
class Lease:
    """A cell that this process holds.

    Attributes:
        objects: where it lies.
        key: of the cell.
        generation: 1 for the first holder; a later one is higher.
        nonce: tells it from any other.
        ttl: seconds after which it is over unless it changes.
        beats: how often it was changed.
        last: when, by `clock`.
        lost: it is another's now.
    """

    objects: Objects
    key: str
    generation: int
    nonce: str
    ttl: float
    beats: int = 0
    last: float = 0.0
    lost: bool = False

    @property
    def name(self) -> str:
        """Of its object."""
        return _name(self.key, self.generation)

    def content(self) -> bytes:
        """What its object holds."""
        pid = os.getpid()
        facts = {"nonce": self.nonce, "beat": self.beats, "machine": _machine(), "process": pid,
                 "began": _began(pid)}  # fmt: skip
        return json.dumps(facts).encode()

    def beat(self) -> bool:
        """Say that the holder lives, where it is time for that; False: the lease is another's."""
        now = clock()
        if self.lost or now - self.last < self.ttl / BEATS:
            return not self.lost
        try:
            self.lost = not self.holds()
            if not self.lost:
                self.beats += 1
                self.objects.put(self.name, self.content())
                self.last = now
        except StoreError:
            self.lost = now - self.last > self.ttl
        return not self.lost

    def holds(self) -> bool:
        """Whether the cell is still this process's, asked of the store.

        Raises:
            StoreError: it does not answer.
        """
        generations = _generations(self.objects, self.key)
        if not generations or generations[-1] != self.generation:
            return False
        state = _state(self.objects, self.name)
        return state is not None and state.get("nonce") == self.nonce

    def release(self) -> None:
        """Let it go, if it still is this process's."""
        with suppress(StoreError):
            if not self.lost and self.holds():
                self.objects.remove(self.name)


#: Cells that this process holds, by key; a fork of it works for the same holder.
_HELD: dict[str, Lease] = {}


def held(key: str) -> Lease | None:
    """The lease under which this process, or the one that forked it, computes a cell."""
    return _HELD.get(key)


def check(key: str) -> None:
    """Before a result is put into the store: nobody has taken the cell over.

    Raises:
        Fenced: somebody has.
    """
    lease = held(key)
    if lease is not None and not lease.holds():
        raise Fenced(f"{key[:12]}: another process has taken this cell over; its result counts")


@contextmanager
def holding(objects: Objects, key: str, patient: bool = False) -> Iterator[Lease]:
    """Hold a cell.

    Args:
        objects: of the store.
        key: of the cell.
        patient: watch another machine's lease until it changes or is over, instead of giving way
            to it at once.

    Raises:
        Busy: another holds it.
    """
    lease = acquire(objects, key, patient)
    _HELD[key] = lease
    try:
        yield lease
    finally:
        _HELD.pop(key, None)
        lease.release()


def acquire(objects: Objects, key: str, patient: bool = False) -> Lease:
    """Take a cell's lease, see `holding`.

    Raises:
        Busy: another holds it.
    """
    generations = _generations(objects, key)
    last = generations[-1] if generations else 0
    if last and not _over(objects, _name(key, last), patient):
        raise Busy(key)
    lease = Lease(objects, key, last + 1, secrets.token_hex(8), ttl(), last=clock())
    if not objects.put_new(lease.name, lease.content()):
        raise Busy(key)
    if not lease.holds():  # the first listing missed one that just took another's place
        objects.remove(lease.name)
        raise Busy(key)
    for old in generations:
        objects.remove(_name(key, old))
    return lease


def _over(objects: Objects, name: str, patient: bool) -> bool:
    """Whether a lease is a dead holder's."""
    first, limit = _state(objects, name), ttl()
    if first is None:
        return True  # it was let go this moment
    if first.get("machine") == _machine():
        pid = first.get("process")
        if not isinstance(pid, int) or _began(pid) != first.get("began"):
            return True
        if not patient or pid == os.getpid():
            return False
    seen = _SEEN.get(f"{objects.address} {name}")
    if seen is None or seen[0] != first:
        seen = _SEEN[f"{objects.address} {name}"] = (first, clock())
    while clock() - seen[1] <= limit:
        if not patient:
            return False
        time.sleep(LOOK)
        if _state(objects, name) != first:
            return False
    return True


#: What other machines' leases were when this process saw them first, and when that was.
_SEEN: dict[str, tuple[dict[str, Any], float]] = {}


def _state(objects: Objects, name: str) -> dict[str, Any] | None:
    """What a lease's object holds; None: it is gone; empty: it is being written, or is garbage."""
    try:
        raw = json.loads(objects.read(name))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _name(key: str, generation: int) -> str:
    return f"{PREFIX}/{key}.{generation:08d}"


def _generations(objects: Objects, key: str) -> list[int]:
    """Those that are there, in order."""
    start = f"{PREFIX}/{key}."
    names = [name.removeprefix(start) for name in objects.sizes(PREFIX) if name.startswith(start)]
    return sorted(int(name) for name in names if name.isdecimal())


@contextmanager
def beating(lease: Lease | None) -> Iterator[None]:
    """A thread beats a lease meanwhile: for cells that have no process of their own."""
    if lease is None:
        yield
        return
    end = threading.Event()

    def beat() -> None:
        while not end.wait(lease.ttl / BEATS) and lease.beat():
            pass

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


__all__ = [
    "Busy", "Fenced", "Lease", "acquire", "beating", "check", "clock", "held", "holding", "ttl",
]  # fmt: skip
