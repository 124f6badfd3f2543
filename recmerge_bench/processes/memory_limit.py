"""How much memory this process may take, where whoever started it has said so.

Nothing is enforced here: work that can be done in blocks of any size asks for a block that fits,
and whoever supervises the process ends it where it takes more all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

#: A block is held about so often at a time: scores, a copy, what is compared.
_TIMES = 4
_LEAST = 1 << 20
_LIMIT: dict[str, int] = {}


def limit_to(size: int | None) -> None:
    """This process is to keep to so many bytes of anonymous memory; None: there is no limit."""
    _LIMIT.clear()
    if size is not None:
        _LIMIT["bytes"] = size


def block_within(usual: int) -> int:
    """Bytes of a block of work: the usual ones, fewer where the limit leaves less, 1 MiB at least.

    Args:
        usual: bytes of a block where there is no limit.
    """
    if "bytes" not in _LIMIT:
        return usual
    left = _LIMIT["bytes"] - anonymous_memory("self")
    return max(_LEAST, min(usual, left // _TIMES))


def anonymous_memory(process: int | str) -> int:
    """Bytes of a process that are its own and no file's; 0 where it is gone or nothing tells."""
    return _sum(f"/proc/{process}/status", ("RssAnon:", "RssShmem:"))


def memory_together(processes: Sequence[int], most: int) -> int:
    """Bytes that processes have, no file's; what forks share counts once.

    Args:
        processes: their numbers.
        most: below this the figure may be too large: it is what can be known quickly.
    """
    quick = sum(map(anonymous_memory, processes))
    if len(processes) == 1 or quick <= most:
        return quick
    return sum(
        _sum(f"/proc/{process}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) for process in processes
    )


def _sum(file: str, fields: tuple[str, ...]) -> int:
    """Bytes of these fields of a file of the kernel's; 0 where it cannot be read."""
    try:
        lines = Path(file).read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(fields))
    except (OSError, ValueError):
        return 0


__all__ = ["anonymous_memory", "block_within", "limit_to", "memory_together"]
