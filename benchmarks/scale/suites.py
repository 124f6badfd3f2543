"""Suites of as many cells as one asks for, over generated data of a few users."""

from __future__ import annotations

from typing import Any

#: Seeds of a row: each has a cell that merges and one that ranks.
SEEDS = 20


def wide(cells: int) -> dict[str, Any]:
    """A suite of about so many cells: rows of one strategy at different scales, `SEEDS` each."""
    seeds = min(SEEDS, max(1, cells // 40))
    rows = max(1, round(cells / (2 * seeds)))
    return {
        "name": "wide",
        "seeds": list(range(seeds)),
        "threads": 1,
        "metrics": ["NDCG@10"],
        "tracks": {"merging": {
            "tuning": "none",
            "dataset": "synthetic",
            "dataset_options": {
                "users": 12, "items": 20, "n_domains": 3, "clusters": 4, "mean_length": 6.0},
            "domains": ["d0", "d1"],
            "source": "d2",
            "protocols": ["loo"],
            "training": {"steps": 2, "epochs": 0, "eval_every": -1, "batch_size": 8},
            "backbones": {"sasrec": {"options": {
                "width": 8, "layers": 1, "heads": 1, "max_len": 5}}},
            "rows": [
                {"method": "task-arithmetic", "variant": f"scale {n + 1} of {rows}",
                 "options": {"scale": (n + 1) / rows}}
                for n in range(rows)
            ],
        }},
    }  # fmt: skip
