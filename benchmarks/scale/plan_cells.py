"""`recmerge_bench.plan` of suites of many cells, nothing of them in the store.

    python benchmarks/scale/plan_cells.py [--sizes 1000,10000]

The discovery of plugins is part of it, the import of `recmerge_bench` is not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import measuring
import suites


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """Read the suite, plan it, look at each cell in the store."""
    from recmerge_bench import plan

    suite = suites.wide(size)

    def work() -> dict[str, Any]:
        return {"cells": len(plan(suite, out=folder).cells)}

    return work


TOPIC = measuring.Topic(
    "plan", "Planning a suite", "cells", (1_000, 10_000, 100_000), 40, prepare,
    "100,000 cells in 10 s and 1 GB",
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
