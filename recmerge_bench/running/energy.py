"""Energy of a cell, where the machine tells that of its processors (RAPL); never part of a key.

The counters are the machine's: what ran beside the cell is in them. A cell's share is its own
processor time over that of the whole machine meanwhile, so that shares of cells that run at once
add up to at most 1. Accelerators, memory outside the packages and the rest are not measured.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
STAT = Path("/proc/stat")
#: Seconds between readings: a counter of 262 kJ comes round in 10 minutes at 430 W.
EVERY = 60.0


class Meter:
    """Counts from its making to `stop`.

    Args:
        powercap: folder of the kernel's counters, ``intel-rapl:N/energy_uj`` for package N.
        stat: the kernel's processor times.
    """

    def __init__(self, powercap: Path = POWERCAP, stat: Path = STAT) -> None:
        self._stat = stat
        self._last = {f: n for f in _packages(powercap) if (n := _number(f)) is not None}
        self._joules = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._cpu, self._busy = _processor_time(), _busy(stat)
        if self._last:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            self.read()

    def read(self) -> None:
        """Add what the counters have gained since they were read last; they may have come round."""
        with self._lock:
            for file, before in list(self._last.items()):
                now = _number(file)
                if now is None:
                    continue
                gained = now - before
                if gained < 0:
                    gained += _number(file.with_name("max_energy_range_uj")) or 0
                self._joules += max(0, gained) / 1e6
                self._last[file] = now

    def stop(self) -> dict[str, float] | None:
        """``joules`` of the machine's packages and this process's ``share``; None where untold."""
        self._ended.set()
        if not self._last:
            return None
        self.read()
        own_time, all_of_it = _processor_time() - self._cpu, _busy(self._stat) - self._busy
        share = min(1.0, own_time / all_of_it) if all_of_it > 0 else 1.0
        return {"joules": round(self._joules, 3), "share": round(share, 4)}


def _processor_time() -> float:
    """Seconds of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _packages(powercap: Path) -> list[Path]:
    """Counters of whole packages: ``intel-rapl:0``, not its parts ``intel-rapl:0:1``."""
    counters = powercap.glob("*rapl:*/energy_uj")
    return sorted(f for f in counters if f.parent.name.count(":") == 1)


def _number(file: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return None


def _busy(stat: Path) -> float:
    """Processor seconds of all processes since the machine started; 0 where untold."""
    with suppress(OSError, ValueError, IndexError):
        user, nice, system, _idle, _wait, interrupts, soft = map(
            int, stat.read_text().splitlines()[0].split()[1:8]
        )
        return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
    return 0.0
