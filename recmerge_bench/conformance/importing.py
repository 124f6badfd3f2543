"""What importing a plugin costs and changes, seen in a process of its own.

``python -m recmerge_bench.conformance.importing NAME`` prints a JSON object as its last line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

#: Modules that no command may wait for.
HEAVY = (
    "torch", "transformers", "pandas", "scipy", "sklearn", "matplotlib", "tensorflow", "jax",
    "recbole", "sentence_transformers", "optuna", "datasets",
)  # fmt: skip
#: Seconds until an import is given up.
PATIENCE = 60.0


@dataclass(frozen=True)
class Imported:
    """How an import went.

    Attributes:
        error: what it raised, or how its process ended; empty where it went well.
        seconds: that it took.
        heavy: names of heavy modules that it imported.
        changed: what of the process's state it changed, a phrase for each.
    """

    error: str
    seconds: float
    heavy: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def imported_apart(name: str) -> Imported:
    """Import a plugin (file, folder or module) in a new interpreter, and look at it."""
    start = time.perf_counter()
    try:
        ran = subprocess.run(
            [sys.executable, "-m", __name__, name], capture_output=True, text=True,
            timeout=PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Imported(f"its import did not end within {PATIENCE:.0f} s", PATIENCE)
    seconds = round(time.perf_counter() - start, 3)
    lines = ran.stdout.splitlines()
    try:
        answer: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    except ValueError:
        answer = {}
    if "seconds" not in answer:
        return Imported(f"its import ended the process with code {ran.returncode}", seconds)
    return Imported(
        answer["error"], answer["seconds"], tuple(answer["heavy"]), tuple(answer["changed"])
    )  # fmt: skip


def _look(name: str) -> Imported:
    from recmerge_bench.conformance.state import changes
    from recmerge_bench.registry import import_named

    before, error = set(sys.modules), ""
    with changes() as changed, contextlib.redirect_stdout(sys.stderr):
        start = time.perf_counter()
        try:
            import_named(name)
        except BaseException as raised:  # SystemExit too
            error = f"{type(raised).__name__}: {raised}"
        seconds = round(time.perf_counter() - start, 4)
    fresh = {m for m in sys.modules if m not in before}
    return Imported(error, seconds, tuple(h for h in HEAVY if h in fresh), tuple(changed))


if __name__ == "__main__":
    if os.path.isfile(sys.argv[1]) or os.path.isdir(sys.argv[1]):
        sys.path.insert(0, os.getcwd())
    print(json.dumps(asdict(_look(sys.argv[1]))))
