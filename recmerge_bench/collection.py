"""Cyclic garbage collection, put off while much is made that stays."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
#: How many bodies run now, and whether collection was on before the first of them.
_STATE = {"bodies": 0, "on": 0}


@contextmanager
def uncollected() -> Iterator[None]:
    """Within it no cycles are looked for; what nothing refers to is freed as ever.

    The collector walks through all objects again and again while their number grows, in vain
    where they are plans and records: a third of the time of 100,000 of them. Bodies may nest, and
    several threads may be in one.
    """
    with _LOCK:
        if not _STATE["bodies"]:
            _STATE["on"] = gc.isenabled()
            gc.disable()
        _STATE["bodies"] += 1
    try:
        yield
    finally:
        with _LOCK:
            _STATE["bodies"] -= 1
            if not _STATE["bodies"] and _STATE["on"]:
                gc.enable()


__all__ = ["uncollected"]
