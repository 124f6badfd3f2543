"""Published claims on committed ranks, judged by the boards' rule.

    python benchmarks/claims/claims.py            # all suites that have a file of claims here
    python benchmarks/claims/claims.py merit-cpu

Each claim of ``<suite>.yaml`` is the mean over the domains of the suite's metric, one row of the
board minus another. A claim about a row and its table's baseline, in the board's first metric, is
that comparison of the board: its verdict, p and interval. All other claims of a page in one metric
are one family (`recmerge_bench.statistics.families`). A claim may name its own ``metric``, and
``best_of`` several rows: the one with the highest mean on test, as papers count the better of two
variants of a method. The records are records/<suite>.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import recmerge_bench as rmb
from recmerge_bench.identity import Place, Row
from recmerge_bench.names import MEAN
from recmerge_bench.results.compared import recorded
from recmerge_bench.results.comparisons import plain_numbers, rows_of, scores_of, units_of
from recmerge_bench.results.files import archive_of
from recmerge_bench.results.gates import shut
from recmerge_bench.statistics.comparison import Question, Settings, compare
from recmerge_bench.yaml_text import read_yaml

HERE = Path(__file__).resolve().parent
BOARDS = HERE.parents[1] / "leaderboards" / "records"
#: Nothing is resampled here: no verdict rests on it.
SETTINGS = Settings(draws=0, flips=0)
#: What is kept of a comparison.
KEPT = ("difference", "relative", "seeds", "users", "about_methods", "about_models")


def records_of(suite: str) -> Path:
    """The records of a board, in the archive where another board has replaced it."""
    archived = archive_of(BOARDS) / f"{suite}.json"
    return archived if archived.is_file() else BOARDS / f"{suite}.json"


def suites() -> list[str]:
    """Suites with a file of claims."""
    return sorted(path.stem for path in HERE.glob("*.yaml"))


class Page:
    """The claims of a board.

    Args:
        results: of the board.
        metric: of every claim.
    """

    def __init__(self, results: rmb.Results, metric: str) -> None:
        self.results, self.records, self.metric = results, results.records, metric

    def judged(self, claims: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What is said of each claim, in their order.

        Nothing but ``family`` where a row is not run, and why where the naive gate is not passed.

        Args:
            claims: each with ``track``, ``protocol``, ``row`` (or ``best_of`` several) and
                ``against``.

        Raises:
            SystemExit: the board has no such row, or several.
        """
        judgements: dict[int, dict[str, Any]] = {}
        others: dict[int, Question] = {}
        for number, claim in enumerate(claims):
            place = Place(claim["track"], claim["protocol"])
            named = self.best(place, claim["row"]), self.row(place, claim["against"])
            pair = (named[0] or named[1], named[1])
            question = self.question(place, *pair)
            if question is None or named[0] is None:
                judgements[number] = {"family": "not run"}
            elif gate := shut(self.records.header, self.records.results, place, *pair):
                judgements[number] = {"family": "gate", "reason": gate.reason}
            elif (known := self.of_board(place, *pair)) is not None:
                judgements[number] = {**known, "family": "board"}
            else:
                others[number] = question
        for number, comparison in compare(others, SETTINGS).items():
            fields = plain_numbers(asdict(comparison))
            judgements[number] = {**{k: fields[k] for k in KEPT}, "family": "page"}
        return [judgements[number] for number in range(len(claims))]

    def best(self, place: Place, name: Mapping[str, Any]) -> Row | None:
        """The row that a claim names, the best of several; None where one of these is not run.

        Raises:
            SystemExit: it is none, or several.
        """
        if "best_of" not in name:
            return self.row(place, name)
        shared = {k: v for k, v in name.items() if k != "best_of"}
        rows = [self.row(place, {**shared, **one}) for one in name["best_of"]]
        done = rows_of(self.records.results, place)
        if not all(done[row] for row in rows):
            return None
        return max(rows, key=lambda row: self.mean(done[row]))

    def mean(self, keys: Mapping[int | None, str]) -> float:
        """A row's mean over seeds and domains, by the keys of its ranks."""
        values = [
            result.metrics[MEAN][self.metric]
            for result in self.records.results
            if result.key in keys.values()
        ]
        return sum(values) / len(values)

    def row(self, place: Place, name: Mapping[str, str]) -> Row:
        """The row of a table that a claim names.

        Raises:
            SystemExit: it is none, or several.
        """
        wanted = {"variant": "", **name}
        rows = [
            row
            for row in rows_of(self.records.results, place)
            if all(getattr(row, k) == v for k, v in wanted.items())
        ]
        if len(rows) != 1:
            raise SystemExit(f"the board has {len(rows)} rows {wanted} on {' '.join(place)}")
        return rows[0]

    def question(self, place: Place, first: Row, second: Row) -> Question | None:
        """Both rows' values; None where nothing of one is done."""
        rows = rows_of(self.records.results, place)
        if not rows[first] or not rows[second]:
            return None
        registry, ranks = self.results.registry, self.results.ranks.__getitem__
        scores = [scores_of(registry, self.metric, rows[row], ranks) for row in (first, second)]
        return Question(*scores, units_of(ranks(next(iter(rows[first].values())))))

    def of_board(self, place: Place, first: Row, second: Row) -> dict[str, Any] | None:
        """What is kept of the board's own comparison of the two; None where it has none."""
        if self.metric != self.records.header.primary:
            return None
        row = recorded(self.records.comparisons, place, first, second)
        kept = {} if row is None else {k: v for k, v in row.to_json().items() if k in KEPT}
        return plain_numbers(kept) or None


def judged(suite: str) -> list[dict[str, Any]]:
    """All claims of a suite; those with a row that is not run say so."""
    asked = read_yaml(HERE / f"{suite}.yaml").value
    results = rmb.load_results(records_of(asked["suite"]))
    shared = {k: asked[k] for k in ("track", "protocol")}
    claims = [{**shared, **claim} for claim in asked["claims"]]
    return judged_by(results, asked["metric"], claims)


def judged_by(
    results: rmb.Results, metric: str, claims: list[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """These claims of a board, each in its metric, in their order."""
    judgements: dict[int, dict[str, Any]] = {}
    for name in sorted({claim.get("metric", metric) for claim in claims}):
        of = [n for n, claim in enumerate(claims) if claim.get("metric", metric) == name]
        page = Page(results, name).judged([claims[n] for n in of])
        judgements |= dict(zip(of, page, strict=True))
    return [{**claim, **judgements[n]} for n, claim in enumerate(claims)]


def main(names: list[str]) -> None:
    """Write the records of these suites; all if none is named."""
    for suite in names or suites():
        lines = judged(suite)
        text = json.dumps({"claims": lines}, indent=1, sort_keys=True) + "\n"
        (HERE / "records" / f"{suite}.json").write_text(text, encoding="utf-8")
        for line in lines:
            verdict = line.get("reason", "not run")
            if "difference" in line:
                verdict = f"{line['difference']:+.4f} {line['about_methods']['verdict']}"
            print(f"{line['claim']}: {verdict}")


if __name__ == "__main__":
    main(sys.argv[1:])
