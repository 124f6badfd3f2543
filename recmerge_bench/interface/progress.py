"""Live progress of a run: what runs, what is cached, time left; or nothing at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from recmerge_bench.durations import duration
from recmerge_bench.planning.cells import Plan
from recmerge_bench.processes.words import first_line
from recmerge_bench.running.scheduler import Listener

#: Is told how much is done.
Bar = Callable[[int], None]


class Reporter:
    """Where a call's progress goes.

    Args:
        progress: True shows it: a live panel on a terminal, a line per finished cell elsewhere;
            None shows the panel on a terminal and nothing elsewhere (notebooks, pipes); False
            shows nothing.
    """

    def __init__(self, progress: bool | None) -> None:
        console = Console(highlight=False)
        shown = console.is_terminal if progress is None else progress
        self.console = console if shown else None

    def line(self, text: str) -> None:
        """A line, where progress is shown."""
        if self.console is not None:
            self.console.print(text, markup=False)

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Bar]:
        """A bar that goes when it is full."""
        if self.console is None:
            yield lambda done: None
            return
        from rich.progress import Progress as Bars

        with Bars(console=self.console, transient=True) as bars:
            task = bars.add_task(what, total=total)
            yield lambda done: bars.update(task, completed=done)

    @contextmanager
    def following(
        self, plan: Plan, waiting: Sequence[str], cached: int, slots: int
    ) -> Iterator[Listener]:
        """What takes the events of a run."""
        if self.console is None:
            yield lambda event: None
            return
        with Progress(plan, list(waiting), cached, slots, self.console) as progress:
            yield progress


class Progress:
    """A live panel on a terminal, a line per finished cell elsewhere."""

    def __init__(
        self, plan: Plan, waiting: list[str], cached: int, slots: int, console: Console
    ) -> None:
        self.console, self.slots = console, max(1, slots)
        self.labels = {key: cell.label for key, cell in plan.cells.items()}
        self.total, self.cached = len(waiting), cached
        self.left = {k: plan.cells[k].cost for k in waiting}
        self.estimated = sum(self.left.values())
        self.running: dict[str, tuple[float, dict[str, Any]]] = {}
        self.finished = self.failed = 0
        self.spent_estimate = self.spent = 0.0
        self.began = time.monotonic()
        self.live = Live(self.render(), console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.stop()

    def __call__(self, event: dict[str, Any]) -> None:
        """Take an event of the run."""
        what = event["event"]
        if what == "grown":
            self._grow(event["plan"], event["waiting"])
            return
        key = event["key"]
        if what == "started":
            self.running[key] = (time.monotonic(), {})
        elif what == "progress" and key in self.running:
            self.running[key] = (self.running[key][0], event)
        elif what in ("done", "failed", "blocked"):
            self._end(key, what, event)
        elif what in ("busy", "lost"):
            self.running.pop(key, None)
        if self.console.is_terminal:
            self.live.update(self.render())

    def _grow(self, plan: Plan, waiting: Sequence[str]) -> None:
        """A search has its next trials, or its row."""
        self.labels.update({key: cell.label for key, cell in plan.cells.items()})
        self.total += len(waiting)
        self.left.update({key: plan.cells[key].cost for key in waiting})

    def _end(self, key: str, what: str, event: dict[str, Any]) -> None:
        start, _ = self.running.pop(key, (time.monotonic(), {}))
        seconds = time.monotonic() - start
        self.spent += seconds
        self.spent_estimate += self.left.pop(key, 0.0)
        self.finished += 1
        self.failed += what == "failed"
        label = self.labels[key]
        if what == "failed":
            self.console.print(Text(f"failed: {label}: {first_line(event['error'])}", style="red"))
        elif not self.console.is_terminal:
            self.console.print(
                f"[{self.finished}/{self.total}] {label} ({seconds:.1f} s), {self.remaining()}",
                markup=False,
                highlight=False,
            )

    def remaining(self) -> str:
        """Time left, from the costs stated before and how they held so far."""
        pace = self.spent / self.spent_estimate if self.spent_estimate > 0 else 1.0
        running = sum(time.monotonic() - start for start, _ in self.running.values())
        seconds = max(0.0, pace * sum(self.left.values()) - running) / self.slots
        return f"about {duration(seconds)} left"

    def render(self) -> Group:
        """The panel."""
        head = Table.grid(padding=(0, 1))
        head.add_row(
            ProgressBar(total=max(1, self.total), completed=self.finished, width=30),
            f"{self.finished}/{self.total} cells, {self.cached} cached, {self.failed} failed, "
            + self.remaining(),
        )
        rows = Table.grid(padding=(0, 2))
        for key, (start, state) in self.running.items():
            step = f"{state['step']}/{state['steps']}" if state.get("steps") else ""
            rows.add_row(self.labels[key], step, duration(time.monotonic() - start))
        return Group(head, rows)
