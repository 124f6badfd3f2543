"""What a stranger's code says, made fit to be kept: bounded, one encoding, JSON of known parts."""

from __future__ import annotations

import json
import re
import signal
import traceback
from typing import Any

#: Characters of an error, of a traceback and of the value of a progress message.
ERROR, TRACEBACK, WORD = 1_000, 20_000, 200
#: What a ``failed`` event says besides in words, each true or false; see `ExecutorDefinition`.
FLAGS = ("handled", "out_of_memory", "timeout", "lost")
#: Events that end a job.
ENDS = ("done", "busy", "blocked", "failed")


def failure(key: str, error: str, trace: str = "", **flags: bool) -> dict[str, Any]:
    """A ``failed`` event with all its fields.

    Args:
        key: of the job's cell.
        error: what went wrong, in a line.
        trace: its traceback, or the end of what it printed.
        flags: those of `FLAGS` that are true.
    """
    return {
        "event": "failed", "key": key, "error": clean(error), "traceback": trace,
        **{name: flags.get(name, False) for name in FLAGS},
    }  # fmt: skip


class Reported(Exception):
    """An error of another process, in its own words.

    Args:
        error: what went wrong, in a line.
        trace: its traceback.
        handled: it is the user's to fix.
        out_of_memory: for want of memory.
    """

    def __init__(self, error: str, trace: str, handled: bool, out_of_memory: bool) -> None:
        self.error, self.trace = error, trace
        self.handled, self.out_of_memory = handled, out_of_memory
        super().__init__(error)


def clean(text: str, limit: int = ERROR) -> str:
    """A text that any encoding takes, its middle left out where it is too long."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]} [... {len(text) - 2 * half} characters ...] {text[-half:]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


#: What numpy says of a full disk.
_SHORT = re.compile(r"\d+ requested and \d+ written")


def error_text(error: BaseException) -> str:
    """``Type: message``, whatever the exception does when it is asked for its message."""
    try:
        message = str(error)
    except BaseException as worse:
        message = f"(its text cannot be had: {type(worse).__name__})"
    if isinstance(error, OSError) and _SHORT.fullmatch(message):
        message = f"No space left, or a quota is reached: of a file's numbers, {message}"
    return clean(f"{type(error).__name__}: {message}")


def trace_text(error: BaseException) -> str:
    """The traceback, its end where it is too long."""
    try:
        text = "".join(traceback.format_exception(error))
    except BaseException as worse:
        text = f"(no traceback: {type(worse).__name__})"
    return clean(text[-TRACEBACK:], TRACEBACK)


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")


def how_it_died(code: int, memory: bool = False) -> str:
    """A process' end, in words: `code` is its exit status, or minus the signal's number."""
    if memory:
        return "the kernel killed its process: out of memory"
    if code >= 0:
        return f"its process ended before it was done (exit status {code})"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"its process was killed by signal {-code}{name}"


def event_of(line: bytes, key: str) -> dict[str, Any] | None:
    """An event that a cell's process sent, made anew of the parts that are known; None: noise."""
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict) or raw.get("key") != key:
        return None
    what = raw.get("event")
    if what in ("started", "progress"):
        return {"event": what, "key": key, **_state(raw)}
    if what == "blocked":
        return {"event": what, "key": key, **{k: _text(raw, k) for k in ("reason", "mend")}}
    if what == "failed":
        return {
            "event": what, "key": key, "error": _text(raw, "error"),
            "traceback": _text(raw, "traceback", TRACEBACK),
            **{k: raw.get(k) is True for k in FLAGS},
        }  # fmt: skip
    return {"event": what, "key": key} if what in ("done", "busy") else None


def _text(raw: dict[str, Any], name: str, limit: int = ERROR) -> str:
    return clean(str(raw.get(name, "")), limit)


def _state(raw: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in list(raw.items())[:20] if k not in ("event", "key")}
    return {
        clean(str(k), WORD): clean(v, WORD) if isinstance(v, str) else v
        for k, v in kept.items()
        if isinstance(v, (str, int, float)) and len(str(v)[: WORD + 1]) <= WORD
    }
