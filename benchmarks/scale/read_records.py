"""Results and a board of records of many rows, which lie in a file as `leaderboards/records` does.

    python benchmarks/scale/read_records.py [--sizes 1000,10000]

Records of a few rows are made by a real run; the file is these rows again and again under other
variants, 20 seeds each. `results`: the file is read, checked and shown as a table. `board`: it is
read, checked, and all of its boards are made and written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import measuring
import suites

ROWS_SEEDS = suites.SEEDS


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """A file of `size` results; then what reads it."""
    from recmerge_bench import run
    from recmerge_bench.interface.results import load_results
    from recmerge_bench.report.publishing.finish import render_suite

    small = suites.wide(1)
    run(small, out=folder, progress=False)
    records = folder / "records"
    path = records / "wide.json"
    path.write_text(json.dumps(repeated(json.loads(path.read_text()), size)), encoding="utf-8")
    costs = records / "wide.cost.json"
    costs.write_text(json.dumps(costs_of(json.loads(costs.read_text()), path)), encoding="utf-8")

    def results() -> dict[str, Any]:
        read = load_results(path)
        return {"results": len(read), "characters": len(read.table())}

    def board() -> dict[str, Any]:
        written = render_suite(records, "wide", folder / "boards")
        return {"bytes": sum(file.stat().st_size for file in written)}

    return board if series == "board" else results


def repeated(records: dict[str, Any], size: int) -> dict[str, Any]:
    """The first result under `size` identities and keys, its values moved a little."""
    [one] = records["results"][:1]
    results = []
    for n in range(size):
        identity = {**one["identity"], "variant": f"v{n // ROWS_SEEDS}", "seed": n % ROWS_SEEDS}
        metrics = {d: {m: v * (1 + n % 97 / 970) for m, v in values.items()}
                   for d, values in one["metrics"].items()}  # fmt: skip
        results.append({**one, "key": f"{n:064x}", "identity": identity, "metrics": metrics})
    return {**records, "results": results}


def costs_of(costs: dict[str, Any], path: Path) -> dict[str, Any]:
    """A cost for each of these results."""
    [one] = costs["results"][:1]
    results = json.loads(path.read_text())["results"]
    own = [{name: result[name] for name in ("key", "identity")} for result in results]
    return {**costs, "results": [{**one, **each} for each in own]}


TOPIC = measuring.Topic(
    "records", "Results and a board of records", "records", (1_000, 10_000, 100_000), 40, prepare,
    "100,000 records in 10 s", ("results", "board"),
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
