"""Executors: slots and events that fit the jobs that they were given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.blame import wrong
from recmerge_bench.definitions import ExecutorDefinition
from recmerge_bench.processes.words import ENDS, FLAGS, failure

#: What an event has besides ``key``.
EVENTS: Mapping[str, tuple[str, ...]] = {
    "started": (),
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
        self.ended: set[str] = set()

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
        self.ended.discard(job["key"])
        self.inner.submit(job)

    def attach(self, keys: Collection[str]) -> set[str]:
        """See `ExecutorDefinition.attach`.

        Raises:
            PluginError: it gives something else than some of these keys.
        """
        has = self.inner.attach(keys)
        if not isinstance(has, (set, frozenset)) or not has <= set(keys):
            raise wrong(self.inner, "attach", f"gave {has!r:.80}; it gives a set of given keys")
        self.running |= has
        return set(has)

    def events(self, timeout: float) -> list[dict[str, Any]]:
        """See `ExecutorDefinition.events`.

        Raises:
            PluginError: an event of another form, or of a job that does not run.
        """
        events = self.inner.events(timeout)
        if not isinstance(events, list):
            raise wrong(self.inner, "events", f"gave {type(events).__name__}; it gives a list")
        return [event for event in map(self._completed, events) if event is not None]

    def close(self) -> None:
        """See `ExecutorDefinition.close`."""
        self.inner.close()

    def _completed(self, event: Any) -> dict[str, Any] | None:
        """The event with all its fields; None: it came late, of a job that has ended."""
        self._check(event)
        key, what = event["key"], event["event"]
        if key in self.ended:
            return None
        if what in ENDS:
            self.running.discard(key)
            self.ended.add(key)
        if what != "failed":
            return dict(event)
        flags = {name: event[name] for name in FLAGS if name in event}
        unclear = [name for name, value in flags.items() if type(value) is not bool]
        if unclear:
            raise wrong(self.inner, "events", f"gave 'failed' whose '{unclear[0]}' is no bool")
        return failure(key, str(event["error"]), str(event.get("traceback", "")), **flags)

    def _check(self, event: Any) -> None:
        if not isinstance(event, dict) or event.get("event") not in EVENTS:
            raise wrong(
                self.inner, "events", f"gave {event!r}; its event is one of {', '.join(EVENTS)}"
            )
        if event.get("key") not in self.running | self.ended:
            fault = f"gave '{event['event']}' of {event.get('key')!r}, a job that does not run"
            raise wrong(self.inner, "events", fault)
        lacking = [name for name in EVENTS[event["event"]] if name not in event]
        if lacking:
            raise wrong(self.inner, "events", f"gave '{event['event']}' without '{lacking[0]}'")
