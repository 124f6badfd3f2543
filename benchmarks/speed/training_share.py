"""What share of the machine's matrix-product peak training reaches, and where the rest goes.

    python benchmarks/speed/training_share.py [--data-root DIR] [--small] [--out FILE]

For works of `train_beside.py`, one thread: operations of matrix products (counted, not computed
from a formula) a second of CPU time, beside the best that square products of 1,024 rows reach here;
and the share of each kind of operation in the profiled time.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import train_ours
from peak import counted, matrix_peak
from side_by_side import machine
from torch.profiler import ProfilerActivity, profile
from train_beside import WORKS, write_events
from train_sides import Events, Work

TITLES = (
    "ML-100K, 64 wide, full softmax",
    "ML-100K, 64 wide, 256 negatives",
    "Beauty, 64 wide, full softmax",
    "Beauty, 64 wide, 256 negatives",
    "Beauty, 256 wide, 256 negatives",
    "Beauty, 256 wide, 256 negatives for a batch",
)
#: Kinds of operations by what their names hold; the first that fits counts.
KINDS = {
    "matrix products": ("::mm", "addmm", "linear_pointwise"),
    "attention's products": ("bmm",),
    "optimiser and clipping": ("adam", "Optimizer", "_foreach"),
    "scores of negatives one by one": ("embedding_bag", "sort", "searchsorted", "index_copy"),
    "exponentials and softmax": ("exp", "softmax", "logsumexp", "log", "amax"),
    "random numbers": ("random_", "randint", "bernoulli"),
    "look-ups": ("embedding", "index", "gather", "scatter"),
    "norms": ("layer_norm",),
    "copies and fills": ("copy_", "fill_", "zero_", "cat", "clone", "contiguous"),
}


def kind(name: str) -> str:
    """Of an operation."""
    return next((k for k, parts in KINDS.items() if any(p in name for p in parts)), "the rest")


def events_of(work: Work, root: Path | None, folder: Path) -> Events:
    """Of the work's data."""
    path = folder / f"{work.data}.npz"
    if not path.exists():
        write_events(work.data, root, path)
    with np.load(path) as kept:
        names = ("offsets", "items", "targets")
        return Events(**{name: kept[name] for name in names}, n_items=int(kept["n_items"]))


def share(title: str, work: Work, events: Events, peak: float) -> dict[str, Any]:
    """One work: rate, share of the peak, share of each kind."""
    train_ours.train(dataclasses.replace(work, steps=1, warm=0), events)  # imports, kernels
    plain = train_ours.train(work, events)
    short = dataclasses.replace(work, steps=min(work.steps, 4), warm=0)
    flops = counted(lambda: train_ours.train(short, events)) / short.steps
    with profile(activities=[ProfilerActivity.CPU]) as measured:
        train_ours.train(short, events)
    times: dict[str, float] = {}
    for row in measured.key_averages():
        times[kind(row.key)] = times.get(kind(row.key), 0.0) + row.self_cpu_time_total
    total = sum(times.values())
    reached = flops * plain["steps"] / plain["seconds"]
    return {
        "work": title,
        "targets_per_cpu_second": plain["units"] / plain["seconds"],
        "gflop_per_second": reached / 1e9,
        "share_of_peak": reached / peak,
        "time": {k: t / total for k, t in sorted(times.items(), key=lambda kv: -kv[1])},
    }


def main() -> None:
    """A line for each work, and the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--small", action="store_true", help="ML-100K alone, few steps")
    parser.add_argument("--out", type=Path, help="write the JSON record here")
    given = parser.parse_args()
    torch.set_num_threads(1)
    peak = matrix_peak(torch.device("cpu"), torch.float32, 256 if given.small else 1024)
    print(f"peak of square products, one thread: {peak / 1e9:.0f} GFLOP/s")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for title in TITLES[:2] if given.small else TITLES:
            steps = {"steps": 2, "width": 16, "batch": 8} if given.small else {}
            work = dataclasses.replace(WORKS[title], **steps)
            rows.append(share(title, work, events_of(work, given.data_root, Path(folder)), peak))
            top = ", ".join(f"{k} {v:.0%}" for k, v in rows[-1]["time"].items() if v >= 0.02)
            print(f"{title}: {rows[-1]['share_of_peak']:.0%} of the peak; {top}", flush=True)
    if given.out:
        record = {"peak_gflop_per_second": peak / 1e9, "works": rows, "machine": machine()}
        given.out.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
