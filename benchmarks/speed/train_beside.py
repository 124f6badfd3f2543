"""SASRec's training beside RecTools 0.19 and Replay 0.22: targets per CPU second, one thread.

    python benchmarks/speed/train_beside.py --rectools PYTHON [--replay PYTHON] [--small]
    python benchmarks/speed/train_beside.py --rectools PYTHON --epochs 60 --only ML-100K

PYTHON is the interpreter of an environment with the library (README). All sides have the same
width, blocks, heads, batch, dropout, learning rate, betas and histories of 50 events, and train on
the same events; each turn is a process of its own, the sides in turn. Steps are timed after a
warm-up, without imports and preparation. With ``--epochs`` all are trained for as many and the
record holds their NDCG@10 on the validation items, histories masked.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from side_by_side import machine
from train_sides import Work

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORKS = {
    "ML-100K, 64 wide, full softmax": Work("ml-100k", 64, 2, 2, 0, steps=24),
    "ML-100K, 64 wide, 256 negatives": Work("ml-100k", 64, 2, 2, 256, steps=12),
    "Beauty, 64 wide, full softmax": Work("beauty", 64, 1, 1, 0, steps=10),
    "Beauty, 64 wide, 256 negatives": Work("beauty", 64, 1, 1, 256, steps=10),
    "Beauty, 256 wide, full softmax": Work("beauty", 256, 1, 1, 0, steps=10),
    "Beauty, 256 wide, 256 negatives": Work("beauty", 256, 1, 1, 256, steps=6, warm=1),
    "Beauty, 64 wide, 256 negatives for a batch": Work("beauty", 64, 1, 1, 256, True, steps=20),
    "Beauty, 256 wide, 256 negatives for a batch": Work("beauty", 256, 1, 1, 256, True, steps=20),
}
NAMES = {"ours": "ours", "rectools": "RecTools 0.19", "replay": "Replay 0.22"}


def interactions(data: str, root: Path | None) -> tuple[Any, str]:
    """A dataset of ours and its domain."""
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define

    name, options = ("ml-100k-whole", {})
    if data != "ml-100k":
        name, options = "amazon-mergerec", {"domain_names": [data]}
    spec = discover(environ={}).get("dataset", name)
    loaded = define(spec.target, {**spec.options, **options}).load(root)
    return loaded, loaded.catalogue.domains[0]


def write_events(data: str, root: Path | None, path: Path) -> None:
    """Training parts and validation items of leave-one-out, see `train_sides.Events`."""
    from recmerge_bench.data.splits import leave_one_out

    loaded, domain = interactions(data, root)
    split = leave_one_out(loaded, [domain])
    offsets, items = split.sequences.training()
    kept = np.cumsum(split.sequences.train_end > 0) - 1
    targets = np.full(len(offsets) - 1, -1)
    targets[kept[split.valid.sequence]] = split.valid.targets
    np.savez(path, offsets=offsets, items=items.astype(np.int64), targets=targets,
             n_items=loaded.catalogue.n_items)  # fmt: skip


def turn(python: str, side: str, work: Path, events: Path) -> dict[str, Any]:
    """One training in a process of its own."""
    done = subprocess.run(
        [python, str(HERE / "train_sides.py"), side, str(work), str(events)],
        capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-4000:]}")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**measured, "rate": measured["units"] / measured["seconds"]}


def sides(given: argparse.Namespace, work: Work) -> dict[str, str]:
    """Interpreters of the sides that can do the work: who shares negatives, and who does not."""
    pythons = {"ours": sys.executable, "rectools": given.rectools, "replay": given.replay}
    without = set()
    if work.negatives:
        without = {"rectools"} if work.shared else {"replay"}
    return {s: p for s, p in pythons.items() if p and s not in without}


def record(title: str, work: Work, turns: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """A record as the other comparisons have them."""
    rates = {name: median(t["rate"] for t in times) for name, times in turns.items()}
    peaks = {name: median(t["peak_mb"] for t in times) for name, times in turns.items()}
    peer = next(name for name in rates if name != "ours")
    pairs = zip(turns["ours"], turns[peer], strict=True)
    ratios = sorted(a["rate"] / b["rate"] for a, b in pairs)
    ndcg = {name: median(t["ndcg"] for t in ts) for name, ts in turns.items() if "ndcg" in ts[0]}
    return {
        "comparison": f"SASRec training, {title}" + (f", {work.epochs} epochs" * bool(ndcg)),
        "unit": "targets",
        "of": "CPU time",
        "threads": 1,
        "sizes": dataclasses.asdict(work),
        "ratio": median(ratios),
        "ratio_range": [ratios[0], ratios[-1]],
        "memory_ratio": peaks["ours"] / peaks[peer],
        "rates": rates,
        "peak_mb": peaks,
        **({"ndcg": ndcg} if ndcg else {}),
        "turns": turns,
        "machine": machine(),
    }


def compare(title: str, work: Work, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All turns of one work."""
    events, path = folder / f"{work.data}.npz", folder / "work.json"
    if not events.exists():
        write_events(work.data, given.data_root, events)
    path.write_text(json.dumps(dataclasses.asdict(work)))
    pythons = sides(given, work)
    turns: dict[str, list[dict[str, Any]]] = {NAMES[side]: [] for side in pythons}
    for _ in range(given.repeats):
        for side, python in pythons.items():
            turns[NAMES[side]].append(turn(python, side, path, events))
    return record(title, work, turns)


def show(console: Console, row: dict[str, Any]) -> None:
    """The table of one work."""
    table = Table(title=f"{row['comparison']}; one thread")
    for column in ("", "targets/CPU s", "peak MB", "ours is", "NDCG@10 masked"):
        table.add_column(column, justify="right" if column else "left")
    for name, rate in row["rates"].items():
        ratio = "" if name == "ours" else f"{row['rates']['ours'] / rate:.1f} x"
        ndcg = f"{row['ndcg'][name]:.4f}" if "ndcg" in row else ""
        table.add_row(name, f"{rate:,.0f}", f"{row['peak_mb'][name]:,.0f}", ratio, ndcg)
    console.print(table)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rectools", help="a Python with rectools")
    parser.add_argument("--replay", help="a Python with replay-rec")
    parser.add_argument("--data-root", type=Path, help="where the domains' archives lie")
    parser.add_argument("--only", default="", help="works whose title holds this")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="few steps, 16 wide, to try it")
    parser.add_argument("--out", type=Path, help="append the JSON lines to this file")
    return parser.parse_args()


def main() -> None:
    """A table and a JSON line for each work."""
    given, console = arguments(), Console()
    small = {"width": 16, "steps": 2, "warm": 1, "batch": 8} if given.small else {}
    with tempfile.TemporaryDirectory() as folder:
        for title, work in WORKS.items():
            if given.only not in title:
                continue
            work = dataclasses.replace(work, epochs=given.epochs, **small)
            if len(sides(given, work)) < 2:
                continue
            row = compare(title, work, given, Path(folder))
            show(console, row)
            line = json.dumps(row, sort_keys=True)
            print(line, flush=True)
            if given.out:
                with open(given.out, "a", encoding="utf-8") as stream:
                    stream.write(line + "\n")


if __name__ == "__main__":
    main()
