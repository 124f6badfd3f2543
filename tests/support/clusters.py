"""Runs whose cells wait, so that something can be killed meanwhile, and how they are compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Counting models that count popularity and take their time, once for each process that tries.
WAITING = """
import os, time
from dataclasses import dataclass
from pathlib import Path
from recmerge_bench.api import CountingSpec, hookimpl
from recmerge_bench_plugins.baselines.popularity import Popularity

@dataclass(frozen=True)
class Options:
    seconds: float = 0.0
    marks: str = ""

class Waiting(Popularity):
    Options = Options
    def fit(self, *arguments, **more):
        if self.options.marks:
            folder = Path(self.options.marks)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{time.time_ns()}-{os.getpid()}-{os.getppid()}").touch()
        time.sleep(self.options.seconds)
        return super().fit(*arguments, **more)

@hookimpl
def recmerge_bench_register():
    return [CountingSpec("waiting", f"{__name__}:Waiting", "popularity, after a while")]
"""


def waiting_suite(rows: int, seconds: float, marks: Path | str = "") -> dict[str, Any]:
    """A suite of so many rows that each take so long; `marks` has a file for each attempt."""
    options = {"seconds": seconds, "marks": str(marks)}
    waiting = [
        {
            "method": "waiting",
            "variant": f"v{n}",
            "options": {**options, "seconds": seconds + n / 1e6},
        }
        for n in range(rows)
    ]
    return {
        "name": "waits", "title": "Waits", "seeds": [0], "metrics": ["NDCG@10"],
        "tracks": {"counting": {
            "dataset": "synthetic",
            "dataset_options": {"n_domains": 2, "items": 60, "users": 60},
            "domains": ["d0", "d1"], "protocols": ["loo"], "baseline": "popularity",
            "rows": ["popularity", "last-item", *waiting],
        }},
    }  # fmt: skip


class Suite:
    """A suite and its plugin in files, run as commands.

    Args:
        folder: for both.
        suite: its keys.
    """

    def __init__(self, folder: Path, suite: dict[str, Any]) -> None:
        self.folder = folder
        (folder / "waiting_plugin.py").write_text(WAITING)
        (folder / "waits.yaml").write_text(json.dumps(suite))

    def command(self, out: str, *more: str) -> list[str]:
        """The run's command."""
        return [
            sys.executable, "-m", "recmerge_bench", "-p", str(self.folder / "waiting_plugin.py"),
            "run", "--suite", str(self.folder / "waits.yaml"), "--out", str(self.folder / out),
            *more,
        ]  # fmt: skip

    def start(self, out: str, *more: str) -> subprocess.Popen[bytes]:
        """A run that goes on; what it prints goes to a file, since its jobs may outlive it."""
        with open(self.folder / f"{out}.log", "ab") as log:
            return subprocess.Popen(self.command(out, *more), stdout=log, stderr=log)

    def end(self, out: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
        """Wait for a run that was started: its end is good."""
        assert process.wait(seconds) == 0, (self.folder / f"{out}.log").read_text()

    def run(self, out: str, *more: str) -> str:
        """A run to its end, which is good; what it printed."""
        done = subprocess.run(self.command(out, *more), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def results(self, out: str) -> dict[str, bytes]:
        """Board and ranks, by name."""
        folder = self.folder / out
        files = [*folder.glob("boards/*.md"), *folder.glob("store/*/*/ranks*.parquet")]
        cost = [p for p in files if "-cost" in p.name]  # seconds and joules: another run has others
        return {
            p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(set(files) - set(cost))
        }


def until(what: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `what` gives, once it gives something."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return value


def parents(pid: int) -> list[int]:
    """A process's parents, the nearest first."""
    above: list[int] = []
    while pid > 1:
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            break
        pid = int(stat[1])
        above.append(pid)
    return above


def is_alive(pid: int) -> bool:
    """Whether a process runs (a dead one that nobody waited for does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX" and pid != os.getpid()
