"""`recmerge_bench.run` of a suite all of whose cells are in the store.

    python benchmarks/scale/cached_run.py [--sizes 100,1000]

One row of the suite is run for real; every other cell is sealed through the store's own code with
the files of that row's cell of its kind. What is measured plans, checks the hash of each result's
files, writes the manifest and sees whether records and boards are of the same content as before.
In the series ``boards anew`` they are not there yet: records and ranks are written, rows compared,
and the boards made.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import measuring
import suites

#: Records and boards are made, not only looked at.
ANEW = "boards anew"


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """A store of the suite's cells; then the run."""
    from recmerge_bench import run

    suite = suites.wide(size)
    fill(suite, folder)
    if series != ANEW:
        run(suite, out=folder, progress=False)

    def work() -> dict[str, Any]:
        done = run(suite, out=folder, progress=False)
        if done.computed or not done.ok:
            raise SystemExit(f"{done.computed} cells were not in the store")
        return {"cells": done.cached, "results": len(done.keys)}

    return work


def fill(suite: dict[str, Any], out: Path) -> None:
    """Run the suite's first row and seed; seal every other cell with the files of its like."""
    from recmerge_bench import run
    from recmerge_bench.interface.plans import planned
    from recmerge_bench.registry import discover
    from recmerge_bench.running.store import Store

    store = Store(out)
    first = suite["tracks"]["merging"]["rows"][0]["variant"]
    run(suite, out=out, only=[f"variant={first},seed=0"], progress=False)
    cells = planned(suite, discover(), store=store).cells
    like = {cells[key].kind: key for key in tuple(store.keys())}
    templates = {kind: store.record(key) for kind, key in like.items()}
    for key, cell in cells.items():
        if not store.has(key):
            record = {**templates[cell.kind], "label": cell.label, "seed": cell.seed}
            record["inputs"] = dict(cell.inputs)
            with store.writing(key) as folder:
                for name in record["files"]:
                    shutil.copy(store.folder(like[cell.kind]) / name, folder / name)
                store.commit(key, folder, {k: v for k, v in record.items() if k != "seal"})


TOPIC = measuring.Topic(
    "cached", "A run of cells that are done", "cells", (100, 1_000, 10_000), 20, prepare,
    "10,000 cells in 5 s", ("", ANEW),
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
