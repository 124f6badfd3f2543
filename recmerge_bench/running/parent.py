"""A worker's parent: a worker does not outlive it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

#: Environment variable that tells a worker its parent's process number.
PARENT = "RECMERGE_BENCH_PARENT"


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies (Linux); poll elsewhere.

    The parent is the one that the environment names: it may be gone before this is called.
    """
    parent = int(os.environ.get(PARENT, os.getppid()))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
