"""Merging eight checkpoints from disk: CPU seconds, ours and mergekit's or fusion_bench's.

    python benchmarks/speed/merge_files.py --mergekit PYTHON --folder DIR [--shards 4]
    python benchmarks/speed/merge_files.py --fusion-bench PYTHON --folder DIR --size minilm

PYTHON is the interpreter of an environment with mergekit 0.1.5, or fusion_bench 0.2.33. Both sides
read the same files (written to DIR once: nine of 438 MB at BERT-base's size) and write one; imports
are not counted, one thread each. The anonymous memory is the peak of the process's own (mapped
files are not in it), the imports' share included. Outputs are compared entry by entry.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import merge_sides
from rich.console import Console
from rich.table import Table
from side_by_side import machine

HERE = Path(__file__).resolve().parent
METHODS = {
    "mergekit": "linear,task-arithmetic,ties-per-tensor",
    "fusion_bench": "dare-ties,iso-c,tsv-m",
}


def turn(python: str, side: str, method: str, folder: Path) -> dict[str, Any]:
    """One merge in a process of its own."""
    done = subprocess.run(
        [python, str(HERE / "merge_sides.py"), side, method, str(folder)],
        capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{side} failed at {method}:\n{done.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def record(
    method: str, other: str, turns: dict[str, list[dict[str, Any]]], differs: str
) -> dict[str, Any]:
    """A record as the other comparisons have them; a rate is merges a CPU second."""
    cpu = {name: median(t["cpu_s"] for t in times) for name, times in turns.items()}
    peaks = {name: median(t["anonymous_mb"] for t in times) for name, times in turns.items()}
    return {
        "comparison": f"Merging 8 checkpoints, {method}",
        "unit": "merges",
        "of": "CPU time",
        "threads": 1,
        "ratio": cpu[other] / cpu["ours"],
        "memory_ratio": peaks["ours"] / peaks[other],
        "rates": {name: 1 / seconds for name, seconds in cpu.items()},
        "peak_mb": peaks,
        "turns": turns,
        "differs": differs,
        "machine": machine(),
    }


def show(console: Console, records: list[dict[str, Any]], other: str) -> None:
    """The table."""
    table = Table(title="8 experts and a base from disk; CPU seconds without imports, one thread")
    for head in ("method", "ours", other, "ratio", "anonymous MB", f"{other}'s", "differ"):
        table.add_column(head, justify="left" if head == "method" else "right")
    for row in records:
        table.add_row(
            row["comparison"].partition(", ")[2], f"{1 / row['rates']['ours']:.2f}",
            f"{1 / row['rates'][other]:.2f}", f"{row['ratio']:.1f} x",
            f"{row['peak_mb']['ours']:,.0f}", f"{row['peak_mb'][other]:,.0f}",
            row["differs"],
        )  # fmt: skip
    console.print(table)


def main() -> None:
    """A table and a JSON line for each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    side = parser.add_mutually_exclusive_group(required=True)
    side.add_argument("--mergekit", help="a Python with mergekit")
    side.add_argument("--fusion-bench", help="a Python with fusion_bench")
    parser.add_argument("--folder", type=Path, required=True, help="room for 5 GB")
    parser.add_argument("--methods", help="comma-separated; the other side's by default")
    parser.add_argument("--size", choices=sorted(merge_sides.SIZES), default="base")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--shards", type=int, default=0, help="as folders of so many shards")
    parser.add_argument("--out", type=Path, help="append the JSON lines to this file")
    given = parser.parse_args()
    other = "mergekit" if given.mergekit else "fusion_bench"
    if given.shards and other == "fusion_bench":
        parser.error("--shards is for --mergekit")
    merge_sides.write_models(given.folder, given.size)
    folder = given.folder
    if given.shards:
        folder = merge_sides.write_shards(folder, given.shards)
    console, records = Console(), []
    for method in (given.methods or METHODS[other]).split(","):
        turns: dict[str, list[dict[str, Any]]] = {"ours": [], other: []}
        for _ in range(given.repeats):
            for name, python in (
                ("ours", sys.executable),
                (other, given.mergekit or given.fusion_bench),
            ):
                with console.status(f"{method}: {name}"):
                    turns[name].append(turn(python, name, method, folder))
        of = f"{method}, {given.shards} shards each" if given.shards else method
        of += "" if given.size == "base" else f", {given.size}"
        records.append(record(of, other, turns, merge_sides.difference(folder, other)))
    show(console, records, other)
    for row in records:
        line = json.dumps(row, sort_keys=True)
        print(line)
        if given.out:
            given.out.parent.mkdir(parents=True, exist_ok=True)
            with open(given.out, "a", encoding="utf-8") as stream:
                stream.write(line + "\n")


if __name__ == "__main__":
    main()
