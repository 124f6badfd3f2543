"""MergeRec's claims on the committed ranks of `mergerec-cpu`: differences with two intervals.

    python benchmarks/claims/mergerec_cpu.py

Each line is the mean over the domains of NDCG@10, one row of the board minus another. The first
interval is about these trained models: users are drawn anew, seeds averaged (paired t over users).
The second is about the methods: seeds and users are both drawn anew (crossed variance, see
`recmerge_bench.statistics`). A difference is called higher or lower where neither holds zero. The
record is records/mergerec-cpu.json.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.boards.all_ranks import read_all_ranks
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.statistics.claims import methods, trained_models
from recmerge_bench.statistics.comparison import plain
from recmerge_bench.statistics.components import take_apart
from recmerge_bench.statistics.scores import Scores, Units, pair

HERE = Path(__file__).resolve().parent
BOARDS = HERE.parents[1] / "leaderboards" / "records"
TRACK = "shared-base"

Row = tuple[str, str, str]
FIXED: Row = ("mergerec", "tensor-wise", "fixed")
PAPER: Row = ("mergerec", "layer-wise", "paper")
RELEASED: Row = ("mergerec", "layer-wise", "released")
TA: Row = ("task-arithmetic", "scale=0.4", "paper")
JOINT: Row = ("joint", "", "fixed")
TUNED: Row = ("fine-tune", "", "fixed")
#: (claim, row, the row it is said to exceed)
CLAIMS: list[tuple[str, Row, Row]] = [
    ("MergeRec exceeds weight averaging", PAPER, ("weight-averaging", "", "fixed")),
    ("MergeRec exceeds Task Arithmetic", PAPER, TA),
    ("MergeRec exceeds TIES", PAPER, ("ties", "density=0.2", "paper")),
    ("MergeRec exceeds joint learning", PAPER, JOINT),
    ("MergeRec exceeds AdaMerging", PAPER, ("adamerging", "domain-wise", "paper")),
    ("layer-wise exceeds domain-wise", PAPER, ("mergerec", "domain-wise", "paper")),
    ("starting from TIES is no worse", ("mergerec", "layer-wise,init=ties", "paper"), PAPER),
    ("as released exceeds Task Arithmetic", RELEASED, TA),
    ("as released exceeds joint learning", RELEASED, JOINT),
    ("ours exceeds Task Arithmetic", FIXED, TA),
    ("ours exceeds joint learning", FIXED, JOINT),
    ("ours exceeds the experts", FIXED, TUNED),
    ("ours needs a weight for each tensor", FIXED, ("mergerec", "layer-wise", "fixed")),
    ("ours exceeds AdaMerging put right", FIXED, ("adamerging", "tensor-wise", "fixed")),
    ("AdaMerging put right exceeds it as compared", ("adamerging", "tensor-wise", "fixed"),
     ("adamerging", "domain-wise", "paper")),
]  # fmt: skip


def scores(records: dict[str, Any], ranks: dict[str, Any], row: Row) -> tuple[Scores, Units]:
    """NDCG@10 of each seed and instance."""
    values, seeds, units = [], [], None
    for result in records["results"]:
        about = result["identity"]
        if about["track"] != TRACK or (about["method"], about["variant"], about["recipe"]) != row:
            continue
        table = ranks[result["key"]]
        values.append(np.asarray(ndcg(rank(table.n_better, table.n_equal), 10)))
        seeds.append(about["seed"])
        units = Units(table.domain, table.users)
    if units is None:
        raise SystemExit(f"the board has no row {row}")
    return Scores(np.stack(values), tuple(seeds)), units


def compare(first: Scores, second: Scores, units: Units) -> dict[str, Any]:
    """Mean difference with both claims; by domain too."""
    both = pair(first, second)
    difference = both.first - both.second
    parts = take_apart(difference, units).components
    models, drawn = plain(trained_models(parts)), plain(methods(parts))
    spans = [[models.lower, models.upper], [drawn.lower, drawn.upper]]
    above, below = all(s[0] > 0 for s in spans), all(s[1] < 0 for s in spans)
    return {
        "difference": models.difference,
        "users": spans[0],
        "methods": spans[1],
        "n_seeds": len(both.seeds),
        "domains": [float(v) for v in units.domain_means(difference.mean(axis=0))],
        "verdict": "higher" if above else "lower" if below else "not settled",
    }


def found() -> list[dict[str, Any]]:
    """All claims."""
    records = json.loads((BOARDS / "mergerec-cpu.json").read_text(encoding="utf-8"))
    ranks = read_all_ranks(BOARDS / "mergerec-cpu.ranks.parquet")
    rows = {row: scores(records, ranks, row) for _, a, b in CLAIMS for row in (a, b)}
    return [
        {
            "claim": claim,
            "row": list(a),
            "against": list(b),
            **compare(rows[a][0], rows[b][0], rows[a][1]),
        }
        for claim, a, b in CLAIMS
    ]


if __name__ == "__main__":
    lines = found()
    text = json.dumps({"metric": "NDCG@10", "claims": lines}, indent=1, sort_keys=True) + "\n"
    (HERE / "records" / "mergerec-cpu.json").write_text(text, encoding="utf-8")
    for line in lines:
        print(f"{line['claim']}: {line['difference']:+.4f} {line['verdict']}")
