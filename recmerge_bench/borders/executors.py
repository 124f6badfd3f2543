"""Executors: slots and events that fit the jobs that they were given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.blame import wrong
from recmerge_bench.definitions import ExecutorDefinition

#: What an event has besides ``key``.
EVENTS: Mapping[str, tuple[str, ...]] = {
    "progress": (),
    "done": (),
    "busy": (),
    "blocked": ("reason", "mend"),
    "failed": ("error",),
}


class CheckedExecutor(ExecutorDefinition):
    """Passes everything to an executor and looks at what it says.

    Args:
        inner: the executor.
    """

    def __init__(self, inner: ExecutorDefinition) -> None:
        super().__init__()
        self.inner = inner
        self.running: set[str] = set()

    def open(self, jobs: int | None, threads: int, log: Path) -> None:
        """See `ExecutorDefinition.open`.

        Raises:
            PluginError: it has no slot.
        """
        self.inner.open(jobs, threads, log)
        if self.free() < 1:
            raise wrong(self.inner, "free", "gave 0 after open(); it takes a job at least")

    def free(self) -> int:
        """See `ExecutorDefinition.free`.

        Raises:
            PluginError: it is no number from 0; 0 though nothing runs.
        """
        free = self.inner.free()
        if type(free) is not int or free < 0:
            raise wrong(self.inner, "free", f"gave {free!r}; it gives a number from 0")
        return free

    def submit(self, job: Mapping[str, Any]) -> None:
        """See `ExecutorDefinition.submit`."""
        self.running.add(job["key"])
        self.inner.submit(job)

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """See `ExecutorDefinition.events`.

        Raises:
            PluginError: an event of another form, or of a job that does not run.
        """
        events = self.inner.events(timeout)
        if not isinstance(events, list):
            raise wrong(self.inner, "events", f"gave {type(events).__name__}; it gives a list")
        for event in events:
            self._check(event)
            if event["event"] != "progress":
                self.running.discard(event["key"])
        return events

    def close(self) -> None:
        """See `ExecutorDefinition.close`."""
        self.inner.close()

    def _check(self, event: Any) -> None:
        if not isinstance(event, dict) or event.get("event") not in EVENTS:
            raise wrong(
                self.inner, "events", f"gave {event!r}; its event is one of {', '.join(EVENTS)}"
            )
        if event.get("key") not in self.running:
            fault = f"gave '{event['event']}' of {event.get('key')!r}, a job that does not run"
            raise wrong(self.inner, "events", fault)
        lacking = [name for name in EVENTS[event["event"]] if name not in event]
        if lacking:
            raise wrong(self.inner, "events", f"gave '{event['event']}' without '{lacking[0]}'")
