"""RecBole's models and ours on the same test targets: paired differences over users.

    python benchmarks/quality/compare.py --runs DIR

Reads the ranks that `recbole_reference.py` and `ours.py` wrote to DIR and tells, for each model,
RecBole's NDCG@10 minus ours with its paired 95 % interval (Student's t over users).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from recmerge_bench.evaluation.metrics import ndcg, rank

PAIRS = {"SASRec": "sasrec-prenorm", "BERT4Rec": "bert4rec"}
LIMIT = 0.005


def gains(counts: dict[str, np.ndarray]) -> np.ndarray:
    """NDCG@10 of each user by mid-rank."""
    return np.asarray(ndcg(rank(counts["n_better"], counts["n_equal"]), 10))


def read(path: Path, prefix: str = "") -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` whose names begin with the prefix, without it."""
    with np.load(path, allow_pickle=False) as arrays:
        return {k.removeprefix(prefix): arrays[k] for k in arrays.files if k.startswith(prefix)}


def best_epoch(runs: Path, model: str) -> int:
    """The epoch with RecBole's best validation NDCG@10."""
    lines = [json.loads(x) for x in (runs / f"{model}.jsonl").read_text().splitlines()]
    return int(max(lines, key=lambda line: line["valid"]["NDCG@10"])["epoch"])


def interval(differences: np.ndarray) -> tuple[float, float, float]:
    """(mean, lower, upper) of a paired 95 % interval."""
    mean, error = differences.mean(), stats.sem(differences)
    half = float(stats.t.ppf(0.975, len(differences) - 1) * error)
    return float(mean), float(mean - half), float(mean + half)


def rows(runs: Path, model: str) -> list[dict[str, Any]]:
    """Each RecBole epoch of interest against each seed of ours, and against their mean."""
    paths = sorted(runs.glob(f"ours-{PAIRS[model]}-seed*.npz"))
    ours = {path.stem.rsplit("-", 1)[1]: read(path) for path in paths}
    comparisons = []
    for which, epoch in (("last", 10), ("best on validation", best_epoch(runs, model))):
        theirs = read(runs / f"{model}-epoch{epoch:02d}.npz", "test_")
        for counts in ours.values():
            for name in ("user", "target"):
                if not np.array_equal(theirs[name], counts[name]):
                    raise SystemExit(f"{model}: the two sides ranked different {name}s")
        each = {seed: gains(counts) for seed, counts in ours.items()}
        each["mean of seeds"] = np.mean(list(each.values()), axis=0)
        for seed, own in each.items():
            mean, lower, upper = interval(gains(theirs) - own)
            comparisons.append(
                {"model": model, "recbole": f"{which} (epoch {epoch})", "ours": seed,
                 "recbole_ndcg": float(gains(theirs).mean()), "ours_ndcg": float(own.mean()),
                 "difference": mean, "lower": lower, "upper": upper,
                 "users": len(own), "not_worse": upper <= LIMIT}
            )  # fmt: skip
    return comparisons


def main() -> None:
    """A table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, required=True)
    given = parser.parse_args()
    comparisons = [row for model in PAIRS for row in rows(given.runs, model)]
    head = ("model", "RecBole", "ours", "RecBole NDCG@10", "ours NDCG@10", "difference [95 %]")
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for row in comparisons:
        span = f"{row['difference']:+.4f} [{row['lower']:+.4f}, {row['upper']:+.4f}]"
        print(
            f"| {row['model']} | {row['recbole']} | {row['ours']} | {row['recbole_ndcg']:.4f} | "
            f"{row['ours_ndcg']:.4f} | {span} |"
        )
    print(json.dumps({"limit": LIMIT, "rows": comparisons}, sort_keys=True))


if __name__ == "__main__":
    main()
