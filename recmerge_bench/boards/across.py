"""``<suite>.across.json``: the rows of a table over its domains, from stored ranks.

Mean ranks with their intervals, and groups that cannot be told apart. Computed when records are
made: pairs of forty rows of five seeds and fifty thousand users take a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.boards.metrics import metric_values
from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.registry import Registry
from recmerge_bench.statistics.across import groups, inseparable, mean_ranks, omnibus
from recmerge_bench.statistics.scores import Scores, Units

SCHEMA = 1
#: What tells a row of a table from the others, seeds apart.
ROW = ("backbone", "method", "variant", "recipe", "profile")
#: Fewer rows have no ranks worth the name, nor Friedman's test.
LEAST = 3
#: Of the bootstrap: ranks are steps, so that more draws move few ends of intervals.
DRAWS = 1000
Row = tuple[str, ...]
Ranks = Callable[[str], RankTable]


def make_across(registry: Registry, records: Mapping[str, Any], ranks: Ranks) -> dict[str, Any]:
    """Ranks over the domains for each table with three rows or more; smoke boards: none.

    Args:
        registry: for the metric.
        records: of a suite; the primary metric is ranked.
        ranks: key of a result -> its table.
    """
    header, found = records["header"], []
    if header["label"] != "smoke":
        for track in header["order"]:
            for protocol in header["tracks"][track]["protocols"]:
                rows, left_out = _rows(records["results"], track, protocol)
                if len(rows) >= LEAST and _users(rows, ranks) > 1:
                    about = {"track": track, "protocol": protocol, "metric": header["metrics"][0]}
                    left = [dict(zip(ROW, row, strict=True)) for row in left_out]
                    found.append({**about, **_table(registry, about["metric"], rows, ranks),
                                  "left_out": left})  # fmt: skip
    return {"schema": SCHEMA, "suite": records["suite"], "tables": found}


def _rows(
    results: Sequence[Mapping[str, Any]], track: str, protocol: str
) -> tuple[dict[Row, dict[Any, str]], list[Row]]:
    """Rows that are whole (row -> seed -> key of its ranks), and those that lack seeds."""
    found: dict[Row, dict[Any, str]] = {}
    lacking = set()
    for result in results:
        identity = result["identity"]
        if (identity["track"], identity["protocol"]) != (track, protocol):
            continue
        row = tuple(str(identity[k]) for k in ROW)
        found.setdefault(row, {})
        if result["status"] == "done":
            found[row][identity["seed"]] = result["key"]
        else:
            lacking.add(row)
    whole = {row: seeds for row, seeds in found.items() if seeds and row not in lacking}
    return whole, [row for row in found if row not in whole]


def _users(rows: Mapping[Row, Mapping[Any, str]], ranks: Ranks) -> int:
    """Of the domain that has the fewest: one user has no spread."""
    table = _first(rows, ranks)
    return min(len(np.unique(table.users[table.domain == d])) for d in np.unique(table.domain))


def _first(rows: Mapping[Row, Mapping[Any, str]], ranks: Ranks) -> RankTable:
    return ranks(next(iter(next(iter(rows.values())).values())))


def _table(
    registry: Registry, metric: str, rows: Mapping[Row, Mapping[Any, str]], ranks: Ranks
) -> dict[str, Any]:
    first = _first(rows, ranks)
    units = Units(first.domain, first.users)
    scores = [_scores(registry, metric, seeds, ranks) for seeds in rows.values()]
    placed = mean_ranks(scores, units, DRAWS)
    together = groups(placed.means, inseparable(scores, units))
    values = np.stack([units.domain_means(s.values).mean(axis=0) for s in scores], axis=-1)
    test = omnibus(values)
    means, lower, upper = (_rounded(v) for v in (placed.means, placed.lower, placed.upper))
    return {
        "domains": sorted({first.domains[d] for d in np.unique(first.domain)}),
        "rows": [
            {**dict(zip(ROW, row, strict=True)), "rank": m, "lower": low, "upper": high}
            for row, m, low, high in zip(rows, means, lower, upper, strict=True)
        ],
        "groups": together,
        "friedman": {"statistic": test.statistic, "p": test.p, "said": test.said,
                     "critical_difference": test.critical_difference},
    }  # fmt: skip


def _scores(registry: Registry, metric: str, seeds: Mapping[Any, str], ranks: Ranks) -> Scores:
    values = [metric_values(registry, [metric], ranks(key))[metric] for key in seeds.values()]
    return Scores(np.stack(values), None if list(seeds) == [None] else tuple(seeds))


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{v:.6g}") for v in values]


def across_path(records: Path) -> Path:
    """The file beside a records file."""
    return records.with_name(f"{records.stem}.across.json")


def load_across(path: Path) -> list[dict[str, Any]]:
    """The tables of a file; none where there is no file.

    Raises:
        DataError: the file is damaged or of another schema.
    """
    if not path.is_file():
        return []
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            raise DataError(f"schema {raw['schema']!r} is unknown; this version reads 1", path)
        tables = [dict(table) for table in raw["tables"]]
        for table in tables:
            _check(table)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(f"no ranks of a suite ({error!r}); build them again", path, line) from None
    return tables


def _check(table: Mapping[str, Any]) -> None:
    for row in table["rows"]:
        if not np.isfinite([row["rank"], row["lower"], row["upper"]]).all():
            raise ValueError("a rank is not finite")
        if not all(isinstance(row[k], str) for k in ROW):
            raise TypeError("a row's name is no text")
    for group in table["groups"]:
        for number in group:
            table["rows"][number]
    if not all(isinstance(t, str) for t in (table["track"], table["friedman"]["said"])):
        raise TypeError("track or the sentence on Friedman's test is no text")


def differences(mine: Sequence[Mapping[str, Any]], again: Mapping[str, Any]) -> list[str]:
    """What of committed tables the ranks do not give.

    Ends of bootstrap intervals are ranks: a last bit of a mean moves one by a place at most.
    """
    theirs = {(t["track"], t["protocol"]): t for t in again["tables"]}
    found = []
    for name in sorted({(t["track"], t["protocol"]) for t in mine} ^ set(theirs)):
        found.append(f"{', '.join(name)}: in one of the two only")
    for table in mine:
        other = theirs.get((table["track"], table["protocol"]))
        if other is not None:
            place = f"{table['track']}, {table['protocol']}"
            found += [f"{place}: {what}" for what in _table_differences(table, other)]
    return found


def _table_differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    names = [[tuple(r[k] for k in ROW) for r in t["rows"]] for t in (mine, theirs)]
    if names[0] != names[1]:
        return ["other rows than the ranks have"]
    found = [
        f"{row['method']}: {end} is {row[end]}, the ranks give {again[end]}"
        for row, again in zip(mine["rows"], theirs["rows"], strict=True)
        for end, allowed in (("rank", 1e-5), ("lower", 1 / len(mine["domains"])),
                             ("upper", 1 / len(mine["domains"])))
        if abs(row[end] - again[end]) > allowed + 1e-5
    ]  # fmt: skip
    parts = ("metric", "domains", "groups", "left_out")
    found += [f"{part} differ from what the ranks give" for part in parts
              if mine.get(part) != theirs[part]]  # fmt: skip
    if mine["friedman"]["said"] != theirs["friedman"]["said"]:
        found.append("Friedman's test differs from what the ranks give")
    return found
