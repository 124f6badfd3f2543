"""The runs that are at work in a folder, as a page for a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recmerge_bench.durations import duration
from recmerge_bench.errors import HandledError, one_line
from recmerge_bench.running.live_state import LIVE
from recmerge_bench.running.mirror import place_of
from recmerge_bench.sizes import size_text
from recmerge_bench.typed import Value, checked
from recmerge_bench.untrusted.jsons import read_json

#: Seconds after which a state that is not written again is of a run that was killed.
STALE = 15.0
_BARS = "▁▂▃▄▅▆▇█"


class LiveCell(Value):
    """A cell that runs, as `recmerge_bench.running.live_state` writes it."""

    label: str
    host: str
    process: int | None
    started: float
    step: int
    steps: int
    memory: int
    losses: list[float]


class LiveRun(Value):
    """A run at work, likewise."""

    run: str
    suite: str
    time: float
    began: float
    slots: int
    cached: int
    total: int
    done: int
    failed: int
    blocked: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    running: list[LiveCell]
    left_s: float
    left_unknown: int


def live_runs(out: str | Path = "runs") -> list[dict[str, Any]]:
    """How each run stands that is at work in a folder, the oldest first.

    States that nobody has written for some time, whose run was killed, are left out.

    Args:
        out: a run's folder or an address.
    """
    return sorted(_states(place_of(out)), key=lambda state: float(state["began"]))


def _states(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((folder / LIVE).glob("*.json")):
        try:
            state = checked(LiveRun, read_json(path), path, "no state of a run")
            if time.time() - state.time <= STALE:
                yield state.to_json()
        except (HandledError, OSError):
            continue  # it has just ended, or is none


def page(states: Sequence[dict[str, Any]]) -> RenderableType:
    """Of these runs: what is blocked first, then how far, then the cells that run."""
    parts: list[RenderableType] = []
    for state in states:
        parts += [_text(_head(state), style="bold"), *_blocked(state), _running(state), Text("")]
    return Group(*parts) if parts else Text("no run is at work here")


def _head(state: dict[str, Any]) -> str:
    return (
        f"{state['suite']} (run {state['run']}): {state['done']} of {state['total']} cells done, "
        f"{state['failed']} failed, {state['cached']} results were there, "
        f"{len(state['running'])} of {state['slots']} slots; {_left(state)}"
    )


def _left(state: dict[str, Any]) -> str:
    """Time left, as far as like cells were measured."""
    seconds, unknown = state["left_s"], state["left_unknown"]
    if unknown and not seconds:
        return f"time left not known: none like the {unknown} cells was measured"
    rest = f", and {unknown} cells like which none was measured" if unknown else ""
    return f"about {duration(seconds)} left by measured cells{rest}"


def _blocked(state: dict[str, Any]) -> Iterator[Text]:
    for label, reason in state["blocked"]:
        yield _text(f"  blocked: {label}: {reason}", style="yellow")


def _running(state: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for cell in state["running"]:
        step = f"{cell['step']}/{cell['steps']}" if cell["steps"] else ""
        who = f"{cell['host']}:{cell['process']}" if cell["process"] else cell["host"]
        memory = size_text(cell["memory"]) if cell["memory"] else ""
        losses = cell["losses"]
        curve = f"{sparkline(losses)} {losses[-1]:.3f}" if losses else ""
        took = duration(time.time() - cell["started"])
        words = ("  " + cell["label"], step, curve, took, memory, who)
        table.add_row(*map(_text, words))
    return table


def _text(words: str, style: str = "") -> Text:
    """As it stands: labels and reasons are other people's, no markup and no control codes."""
    return Text(one_line(words), style=style)


def sparkline(values: Sequence[float], width: int = 20) -> str:
    """The last values as bars between their least and their greatest."""
    shown = [value for value in values if value == value and abs(value) != float("inf")][-width:]
    if not shown:
        return ""
    least, span = min(shown), max(shown) - min(shown)
    steps = len(_BARS) - 1
    return "".join(_BARS[round((v - least) / span * steps) if span else 0] for v in shown)


__all__ = ["live_runs", "page", "sparkline"]
