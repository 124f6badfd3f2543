"""``OUT/logs/events.jsonl``: what happened to which cell, a JSON line each, of all runs.

    {"cell": "<key>", "event": "done", "label": "...", "run": "<id>", "suite": "quick", "time": ...}

``cell`` is the cell's key, which executors have as the job's ``key`` in their own traces. Lines are
appended whole, by any number of runs at once; no line is needed to go on with a run, and a disk
that takes none stops no run.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recmerge_bench.planning.cells import Plan

EVENTS = "events.jsonl"
#: What an event may say beside its cell, and the characters that a text of it may have.
FACTS, LONGEST = ("error", "host", "process", "timeout", "out_of_memory", "reason"), 500
#: Events that are not written: too many, or of no cell.
_LEFT_OUT = ("progress", "grown")
Listener = Callable[[dict[str, Any]], None]


def new_run() -> str:
    """An id that no other run has."""
    return uuid.uuid4().hex[:12]


@contextmanager
def logged(out: Path, plan: Plan, listener: Listener, run: str) -> Iterator[Listener]:
    """A listener that writes events down and hands them on.

    Args:
        out: the run's folder.
        plan: the cells.
        listener: that they are handed on to.
        run: id of the run, see `new_run`.
    """
    labels = {key: cell.label for key, cell in plan.cells.items()}
    with _Lines(out / "logs" / EVENTS) as lines:
        lines.add({"event": "run", "run": run, "suite": plan.suite, "cells": len(plan.cells)})

        def take(event: dict[str, Any]) -> None:
            if event["event"] == "grown":
                labels.update({key: cell.label for key, cell in event["plan"].cells.items()})
            if event["event"] not in _LEFT_OUT:
                who = {"run": run, "suite": plan.suite, "cell": event["key"]}
                lines.add({**who, "label": labels.get(event["key"], ""), **_facts(event)})
            listener(event)

        yield take
        lines.add({"event": "end", "run": run, "suite": plan.suite})


def _facts(event: Mapping[str, Any]) -> dict[str, Any]:
    facts = {k: event[k] for k in ("event", *FACTS) if event.get(k) not in (None, False)}
    return {k: v[:LONGEST] if isinstance(v, str) else v for k, v in facts.items()}


class _Lines:
    """A file that lines are appended to, each by one write; one that cannot be written is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def __enter__(self) -> _Lines:
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        return self

    def __exit__(self, *error: object) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def add(self, line: Mapping[str, Any]) -> None:
        """Append a line with the time."""
        if self._handle is not None:
            text = json.dumps({**line, "time": round(time.time(), 3)}, sort_keys=True) + "\n"
            with suppress(OSError):
                os.write(self._handle, text.encode())
