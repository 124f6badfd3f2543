"""How validation went in every training behind a suite's results, from the run's folder.

    python benchmarks/tools/courses.py RUN SUITE > benchmarks/claims/records/SUITE-courses.json

For each training: the tracks and rows that use it, the epochs, why it stopped, the score that was
kept, and the score after every epoch (mean of the domains that it is selected on). For each split:
the share of validation and of test targets that no training part holds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.codec import load_split
from recmerge_bench.data.sequences import Split

ROW = ("track", "method", "recipe", "variant", "profile", "seed")


def _uses(results: list[dict[str, Any]]) -> dict[str, set[tuple[str, ...]]]:
    """Key of a cell -> the rows that it is behind."""
    uses: dict[str, set[tuple[str, ...]]] = {}
    for result in results:
        row = tuple(str(result["identity"][k]) for k in ROW)
        for key in result["cells"]:
            uses.setdefault(key, set()).add(row)
    return uses


def courses(run: Path, suite: str) -> dict[str, Any]:
    """Trainings and splits of a suite that was run into a folder."""
    manifest = json.loads((run / "suites" / f"{suite}.json").read_text(encoding="utf-8"))
    uses = _uses(manifest["results"])
    trainings, splits = [], {}
    for key in sorted(uses):
        folder = run / "store" / key[:2] / key
        if not (folder / "record.json").is_file():
            continue
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
        if record["kind"] == "train" and record["report"].get("history"):
            rows = [dict(zip(ROW, row, strict=True)) for row in sorted(uses[key])]
            trainings.append(_course(record) | {"rows": rows})
        elif record["kind"] == "split":
            tracks = sorted({row[0] for row in uses[key]})
            splits[key] = {"tracks": tracks, "never_trained": _cold(load_split(folder))}
    trainings.sort(key=lambda each: [list(row.values()) for row in each["rows"]])
    return {"suite": suite, "trainings": trainings, "splits": splits}


def _course(record: dict[str, Any]) -> dict[str, Any]:
    report = record["report"]
    scores = [round(at["valid"], 6) for at in report["history"] if "valid" in at]
    return {
        "key": record["key"],
        "domains": record["config"]["domains"],
        "epochs": report["epochs"],
        "stopped": report["stopped"],
        "kept": round(report["best_valid"], 6),
        "valid": scores,
    }


def _cold(split: Split) -> dict[str, float]:
    parts = split.sequences
    inside = np.arange(len(parts.items)) - np.repeat(parts.offsets[:-1], np.diff(parts.offsets))
    trained = inside < np.repeat(parts.train_end, np.diff(parts.offsets))
    known = np.unique(parts.items[trained])
    return {
        name: round(float(np.mean(~np.isin(held.targets, known))), 4)
        for name, held in (("validation", split.valid), ("test", split.test))
    }


if __name__ == "__main__":
    print(json.dumps(courses(Path(sys.argv[1]), sys.argv[2]), indent=1, sort_keys=True))
