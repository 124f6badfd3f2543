"""What a cell costs beyond its own work: seconds of scheduling, by executor.

    python benchmarks/scale/overhead.py --cells 200 --to benchmarks/scale/overhead.json

Hands an executor jobs of a cell that is done, one at a time: the worker takes the cell's lock and
lease, reads the result, sees that it is whole, and says so. The same is done by `execute` in this
process; the difference is what the way through the executor costs. (Cells that are not done have a
process of their own besides, forked, which is no part of scheduling and stands as ``fork_ms``.)
The load of the machine stands beside the numbers: on a machine with more to do than cores, a
median says how long one waits for a core. The fastest tenth says more there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.conformance.executor_jobs import TinyDataset, job_of
from recmerge_bench.planning.options import complete
from recmerge_bench.processes.words import ENDS
from recmerge_bench.registry import discover
from recmerge_bench.worker import execute

#: Executor -> its options, and the most that its overhead may be, in seconds.
EXECUTORS: dict[str, tuple[dict[str, Any], float]] = {
    "local": ({}, 0.005), "dask": ({"workers": 1}, 0.020)
}  # fmt: skip


def alone(cells: int, folder: Path) -> list[float]:
    """Seconds of each job without an executor; the first is the one that computes the cell."""
    seconds = []
    for _ in range(cells + 1):
        start = time.perf_counter()
        events: list[dict[str, Any]] = []
        execute(job_of("tiny", TinyDataset, folder), events.append)
        assert events[-1]["event"] == "done", events
        seconds.append(time.perf_counter() - start)
    return seconds


def through(name: str, options: dict[str, Any], cells: int, folder: Path) -> list[float]:
    """Seconds of each job through an executor, from submission to its end; the first is left out,
    which starts the worker."""
    spec = discover(environ={}).get("executor", name)
    executor = CheckedExecutor(complete(spec, options, "overhead").definition())
    executor.open(1, 1, folder / "logs")
    seconds = []
    try:
        for _ in range(cells + 1):
            start = time.perf_counter()
            executor.submit(job_of("tiny", TinyDataset, folder))
            while not any(e["event"] in ENDS for e in executor.events(1.0)):
                pass
            seconds.append(time.perf_counter() - start)
    finally:
        executor.close()
    return seconds[1:]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--to", type=Path, default=Path(__file__).with_suffix(".json"))
    given = parser.parse_args()
    measured: dict[str, Any] = {
        "cells": given.cells, "cores": os.cpu_count(), "load_before": list(os.getloadavg())
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        first, *base = alone(given.cells, Path(name) / "alone")
        measured["fork_ms"] = round(1000 * first, 2)
        measured["alone_ms"] = _summary(base)
        for executor, (options, most) in EXECUTORS.items():
            seconds = through(executor, options, given.cells, Path(name) / executor)
            summary = _summary(seconds)
            over = {k: round(summary[k] - measured["alone_ms"][k], 2) for k in summary}
            measured[executor] = {
                "cell_ms": summary, "overhead_ms": over, "most_ms": 1000 * most,
                "met": over["median"] <= 1000 * most,
            }  # fmt: skip
    measured["load_after"] = list(os.getloadavg())
    given.to.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(json.dumps(measured, indent=1, sort_keys=True))


def _summary(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=10)
    return {"p10": round(1000 * cuts[0], 2), "median": round(1000 * statistics.median(seconds), 2),
            "p90": round(1000 * cuts[-1], 2)}  # fmt: skip


if __name__ == "__main__":
    main()
