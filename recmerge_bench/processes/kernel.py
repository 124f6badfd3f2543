"""Whether the kernel killed a process for want of memory: only the kernel's word counts."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def memory_kills() -> int:
    """How many processes the kernel has killed for want of memory, as far as it tells us.

    The counters of this process' control groups (v2 ``memory.events``, v1 ``oom_control``) and
    the machine's (``/proc/vmstat``); 0 where none can be read.
    """
    counters = [_counter(Path("/proc/vmstat"))]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, place = line.split(":", 2)
            inside = place.lstrip("/")
            if not controllers:
                counters += [_counter(_CGROUPS / p / "memory.events") for p in (inside, "")]
            elif "memory" in controllers.split(","):
                root = _CGROUPS / "memory"
                counters += [_counter(root / p / "memory.oom_control") for p in (inside, "")]
    return sum(counters)


def _counter(path: Path) -> int:
    with suppress(OSError, ValueError):
        for line in path.read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return 0


def killed_for_memory(pid: int, kills_before: int) -> bool:
    """Whether the kernel says that it killed this process for want of memory.

    Where its log can be read, the log decides, which names processes; else a counter that has
    risen since.
    """
    log = _log()
    if log is not None and re.search(rf"Killed process {pid} \(", log):
        return True
    return memory_kills() > kills_before and (log is None or "Killed process" not in log)


def _log() -> str | None:
    """The end of the kernel's log; None where it cannot be read."""
    try:
        handle = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    lines: list[str] = []
    try:
        while len(lines) < 100_000:
            with suppress(BrokenPipeError):  # overwritten meanwhile: the next one
                lines.append(os.read(handle, 8192).decode(errors="replace"))
    except OSError:
        pass  # nothing more is there
    finally:
        os.close(handle)
    return "\n".join(lines)
