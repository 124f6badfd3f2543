"""``OUT/logs/live/<run>.json``: how a run stands now, for whoever watches it.

Written whole about once a second while the run is at work, and taken away at its end. Events come
through whatever executor the run has, so that cells of a cluster are in it as those of this
machine are. Nothing reads it but `recmerge-bench watch`; a disk that takes none stops no run.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from recmerge_bench.files import write_json
from recmerge_bench.planning.cells import GUESS, Cell, Plan
from recmerge_bench.running.estimate import like

Listener = Callable[[dict[str, Any]], None]
LIVE = Path("logs", "live")
#: Seconds between two states, and values of a loss curve that are kept.
EVERY, POINTS = 1.0, 60


@dataclass
class _Running:
    """A cell that runs: what its events said of it."""

    started: float
    host: str = ""
    process: int | None = None
    step: int = 0
    steps: int = 0
    memory: int = 0
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=POINTS))


class LiveState:
    """How a run stands, by its events.

    Args:
        run: its id, as in the log of events.
        plan: the cells, with what their costs rest on.
        waiting: cells to do.
        cached: results that were done before.
        slots: cells at a time.
    """

    def __init__(
        self, run: str, plan: Plan, waiting: Sequence[str], cached: int, slots: int
    ) -> None:
        self.run, self.plan, self.cached, self.slots = run, plan, cached, max(1, slots)
        self.left = dict.fromkeys(waiting)
        self.total, self.done, self.failed = len(waiting), 0, 0
        self.began = time.time()
        self.running: dict[str, _Running] = {}
        self.blocked: dict[str, str] = {}
        self._seconds: dict[tuple[str, str], list[float]] = {}
        self._lock = threading.Lock()

    def take(self, event: dict[str, Any]) -> None:
        """Account for an event of the scheduler's."""
        with self._lock:
            what = event["event"]
            if what == "grown":
                self.plan = event["plan"]
                self.left.update(dict.fromkeys(event["waiting"]))
                self.total += len(event["waiting"])
            elif what == "started":
                own = _Running(time.time(), str(event.get("host", "")), event.get("process"))
                self.running[event["key"]] = own
            elif what == "progress":
                self._progress(event)
            elif what in ("done", "failed", "blocked", "busy", "lost"):
                self._end(event, what)

    def _progress(self, event: dict[str, Any]) -> None:
        own = self.running.get(event["key"])
        if own is None:
            return
        own.step, own.steps = int(event.get("step", 0)), int(event.get("steps", 0))
        own.memory = int(event.get("memory", own.memory))
        if isinstance(loss := event.get("loss"), (int, float)):
            own.losses.append(float(loss))

    def _end(self, event: dict[str, Any], what: str) -> None:
        key = event["key"]
        own = self.running.pop(key, None)
        if what in ("busy", "lost"):
            return
        self.left.pop(key, None)
        self.done += what == "done"
        self.failed += what == "failed"
        if what == "blocked":
            self.blocked[key] = str(event.get("reason", ""))
        if what == "done" and own is not None and key in self.plan.cells:
            took = time.time() - own.started
            self._seconds.setdefault(like(self.plan.cells[key]), []).append(took)

    def to_json(self) -> dict[str, Any]:
        """The state, plain values."""
        with self._lock:
            seconds, unknown = self._remaining()
            return {
                "run": self.run, "suite": self.plan.suite, "time": time.time(),
                "began": self.began, "slots": self.slots, "cached": self.cached,
                "total": self.total, "done": self.done, "failed": self.failed,
                "blocked": [[self._label(k), why] for k, why in self.blocked.items()],
                "running": [self._shown(key, own) for key, own in self.running.items()],
                "left_s": round(seconds, 1), "left_unknown": unknown,
            }  # fmt: skip

    def _label(self, key: str) -> str:
        cell = self.plan.cells.get(key)
        return cell.label if cell else key[:12]

    def _shown(self, key: str, own: _Running) -> dict[str, Any]:
        return {
            "cell": key, "label": self._label(key), "host": own.host, "process": own.process,
            "started": own.started, "step": own.step, "steps": own.steps, "memory": own.memory,
            "losses": list(own.losses),
        }  # fmt: skip

    def _remaining(self) -> tuple[float, int]:
        """Seconds that are left by what like cells took, and cells of which none was measured."""
        seconds, unknown = 0.0, 0
        for key in self.left:
            cell = self.plan.cells.get(key)
            known = None if cell is None else self._cost(cell)
            if known is None:
                unknown += 1
                continue
            own = self.running.get(key)
            seconds += max(0.0, known - (time.time() - own.started if own else 0.0))
        return seconds / self.slots, unknown

    def _cost(self, cell: Cell) -> float | None:
        """What like cells took in this run, else elsewhere; None: none was measured."""
        if took := self._seconds.get(like(cell)):
            return median(took)
        return None if cell.basis == GUESS else cell.cost


@contextmanager
def shown_live(out: Path, state: LiveState, listener: Listener) -> Iterator[Listener]:
    """A listener that keeps the run's state in its file and hands events on.

    Args:
        out: the run's folder.
        state: of the run.
        listener: that events are handed on to.
    """
    path, ended = out / LIVE / f"{state.run}.json", threading.Event()

    def write() -> None:
        while True:
            with suppress(OSError):
                write_json(path, state.to_json())
            if ended.wait(EVERY):
                return

    thread = threading.Thread(target=write, daemon=True, name="live state")
    thread.start()

    def take(event: dict[str, Any]) -> None:
        state.take(event)
        listener(event)

    try:
        yield take
    finally:
        ended.set()
        thread.join()
        with suppress(OSError):
            path.unlink(missing_ok=True)


__all__ = ["LIVE", "LiveState", "shown_live"]
