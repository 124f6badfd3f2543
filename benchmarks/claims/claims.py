"""Published claims on committed ranks: differences with two intervals.

    python benchmarks/claims/claims.py            # all suites that have a file of claims here
    python benchmarks/claims/claims.py merit-cpu

Each claim of ``<suite>.yaml`` is the mean over the domains of the suite's metric, one row of the
board minus another. The first interval is about these trained models: users are drawn anew, seeds
averaged (paired t over users). The second is about the methods: seeds and users are both drawn
anew (crossed variance, see `recmerge_bench.statistics`). A difference is called higher or lower
where neither holds zero; with fewer than five seeds nothing is said of the methods, and the word
is about these models alone. The records are records/<suite>.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.records.all_ranks import read_all_ranks
from recmerge_bench.records.metrics import metric_values
from recmerge_bench.registry import Registry, discover
from recmerge_bench.statistics.claims import methods, trained_models
from recmerge_bench.statistics.comparison import plain
from recmerge_bench.statistics.components import take_apart
from recmerge_bench.statistics.scores import Scores, Units, pair

HERE = Path(__file__).resolve().parent
BOARDS = HERE.parents[1] / "leaderboards" / "records"
#: Fewer seeds say nothing of a method.
FEWEST = 5

Row = Mapping[str, str]


def suites() -> list[str]:
    """Suites with a file of claims."""
    return sorted(path.stem for path in HERE.glob("*.yaml"))


class Board:
    """Committed records and ranks of a suite.

    Args:
        suite: its name.
        registry: for the metric.
        metric: of every claim.
    """

    def __init__(self, suite: str, registry: Registry, metric: str) -> None:
        self.registry, self.metric = registry, metric
        self.records = json.loads((BOARDS / f"{suite}.json").read_text(encoding="utf-8"))
        self.ranks: dict[str, RankTable] = read_all_ranks(BOARDS / f"{suite}.ranks.parquet")

    def scores(self, track: str, protocol: str, row: Row) -> tuple[Scores, Units] | None:
        """The metric of each seed and instance; None where nothing of the row is done.

        Raises:
            SystemExit: the board has no such row.
        """
        about = {"variant": "", **row, "track": track, "protocol": protocol}
        named = [
            r
            for r in self.records["results"]
            if all(r["identity"][key] == value for key, value in about.items())
        ]
        if not named:
            raise SystemExit(f"the board has no row {about}")
        done = [r for r in named if r["status"] == "done"]
        if not done:
            return None
        tables = [self.ranks[r["key"]] for r in done]
        values = [metric_values(self.registry, [self.metric], t)[self.metric] for t in tables]
        seeds = tuple(r["identity"]["seed"] for r in done)
        return Scores(np.stack(values), seeds), Units(tables[0].domain, tables[0].users)


def compare(first: Scores, second: Scores, units: Units) -> dict[str, Any]:
    """Mean difference with both claims; by domain too."""
    both = pair(first, second)
    difference = both.first - both.second
    parts = take_apart(difference, units).components
    models = plain(trained_models(parts))
    spans = [[models.lower, models.upper]]
    enough = len(both.seeds) >= FEWEST
    if len(both.seeds) > 1:
        drawn = plain(methods(parts))
        spans.append([drawn.lower, drawn.upper])
    judged = spans if enough else spans[:1]
    above, below = all(s[0] > 0 for s in judged), all(s[1] < 0 for s in judged)
    word = "higher" if above else "lower" if below else "not settled"
    return {
        "difference": models.difference,
        "relative": models.difference / float(units.domain_means(both.second.mean(0)).mean()),
        "users": spans[0],
        "methods": spans[1] if len(spans) > 1 else None,
        "n_seeds": len(both.seeds),
        "domains": [float(v) for v in units.domain_means(difference.mean(axis=0))],
        "verdict": word if enough or word == "not settled" else f"{word} (these models)",
    }


def found(suite: str) -> list[dict[str, Any]]:
    """All claims; those with a row that is not run say so."""
    asked = yaml.safe_load((HERE / f"{suite}.yaml").read_text(encoding="utf-8"))
    board = Board(asked["suite"], discover(environ={}), asked["metric"])
    lines = []
    for claim in asked["claims"]:
        place = [claim.get(k, asked[k]) for k in ("track", "protocol")]
        sides = [board.scores(*place, claim[k]) for k in ("row", "against")]
        line = {k: claim[k] for k in ("claim", "row", "against")}
        line |= dict(zip(("track", "protocol"), place, strict=True))
        if sides[0] is None or sides[1] is None:
            lines.append({**line, "verdict": "not run"})
        else:
            lines.append({**line, **compare(sides[0][0], sides[1][0], sides[0][1])})
    return lines


def main(names: list[str]) -> None:
    """Write the records of these suites; all if none is named."""
    for suite in names or suites():
        lines = found(suite)
        text = json.dumps({"claims": lines}, indent=1, sort_keys=True) + "\n"
        (HERE / "records" / f"{suite}.json").write_text(text, encoding="utf-8")
        for line in lines:
            shown = f"{line['difference']:+.4f} " if "difference" in line else ""
            print(f"{line['claim']}: {shown}{line['verdict']}")


if __name__ == "__main__":
    main(sys.argv[1:])
