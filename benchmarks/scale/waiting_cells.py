"""Cells that wait, as those of a GPU let this machine wait: four workers beside two.

    python benchmarks/scale/waiting_cells.py [--sizes 8,32]

Each cell sleeps for three seconds within its worker. The suite is run twice, with two and with
four workers, processes started, planning and boards included; the floor is of the whole.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import measuring

SECONDS = 3.0
PLUGIN = """
import time
from dataclasses import dataclass
from recmerge_bench.api import CountingSpec, hookimpl
from recmerge_bench_plugins.baselines.popularity import Popularity

@dataclass(frozen=True)
class Options:
    seconds: float = 0.0

class Sleeping(Popularity):
    Options = Options
    def fit(self, *arguments, **more):
        time.sleep(self.options.seconds)
        return super().fit(*arguments, **more)

@hookimpl
def recmerge_bench_register():
    return [CountingSpec("sleeping", f"{__name__}:Sleeping", "popularity, after a while")]
"""


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """The plugin's file; then the suite with two workers and with four."""
    from recmerge_bench import run

    plugin = folder / "sleeping_plugin.py"
    plugin.write_text(PLUGIN)

    def seconds(workers: int) -> float:
        start = time.perf_counter()
        done = run(suite(size), out=folder / str(workers), plugins=[plugin], jobs=workers,
                   progress=False)  # fmt: skip
        if not done.ok or done.missing:
            raise SystemExit(f"not all cells were computed: {done}")
        return time.perf_counter() - start

    def work() -> dict[str, Any]:
        two, four = seconds(2), seconds(4)
        return {"two_s": round(two, 2), "four_s": round(four, 2), "four_of_two": four / two}

    return work


def suite(cells: int) -> dict[str, Any]:
    """A row for each cell that waits; what is ranked behind it takes milliseconds."""
    return {
        "name": "sleeping", "seeds": [0], "threads": 1, "metrics": ["NDCG@10"],
        "tracks": {"counting": {
            "tuning": "none", "dataset": "synthetic", "domains": ["d0"], "protocols": ["loo"],
            "dataset_options": {
                "users": 12, "items": 20, "n_domains": 2, "clusters": 4, "mean_length": 6.0},
            "rows": [
                {"method": "sleeping", "variant": f"v{n}",
                 "options": {"seconds": SECONDS + n / 1e6}}
                for n in range(cells)
            ],
        }},
    }  # fmt: skip


TOPIC = measuring.Topic(
    "waiting", "Cells that wait, on two and on four workers", "cells", (8, 32), 4, prepare,
    "four workers 1.8 times as fast as two", figure="four_of_two",
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
