"""Mean ranks over a table's domains, and which methods cannot be told apart; from stored ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.registry import Registry
from recmerge_bench.results.comparisons import (
    Ranks,
    check_same_targets,
    plain_numbers,
    rows_of,
    scores_of,
    units_of,
)
from recmerge_bench.results.rows import ROW, Row, row_of
from recmerge_bench.statistics.across import groups, mean_ranks, omnibus, separated
from recmerge_bench.statistics.verdicts import few_seeds, few_users

DRAWS = 1000


def make_across(
    registry: Registry,
    header: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    ranks: Ranks,
    comparisons: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """One for each table of two domains and two complete rows or more; smoke boards: none.

    None either where a domain has too few users for a verdict. A row is complete where it has as
    many seeds as any row of its table, or depends on none.

    Args:
        registry: for the metric.
        header: of the suite.
        results: done or not.
        ranks: key of a result -> its table.
        comparisons: with the baseline, already judged: such pairs are told apart as there.
    """
    found: list[dict[str, Any]] = []
    if header["label"] == "smoke":
        return found
    for track in header["order"]:
        about = header["tracks"][track]
        if len(about["domains"]) < 2:
            continue
        for protocol in about["protocols"]:
            rows = rows_of(results, track, protocol)
            most = max((len(seeds) for seeds in rows.values()), default=0)
            whole = {r: s for r, s in rows.items() if s and (len(s) == most or None in s)}
            if len(whole) > 1 and _enough(ranks(_first(whole))):
                known = _known(comparisons, (track, protocol), list(whole))
                made = _across(registry, header["metrics"][0], whole, ranks, known)
                left = sum(1 for r, s in rows.items() if s and r not in whole)
                found.append({"track": track, "protocol": protocol, "left_out": left, **made})
    return found


def _first(rows: Mapping[Row, Mapping[Any, str]]) -> str:
    """Key of any result: all are of the same test targets."""
    return next(iter(next(iter(rows.values())).values()))


def _enough(table: RankTable) -> bool:
    """Whether every domain has users enough for a verdict."""
    users = (np.unique(table.users[table.domain == d]) for d in np.unique(table.domain))
    return len(table.users) > 0 and all(not few_users(len(some)) for some in users)


def _known(
    comparisons: Sequence[Mapping[str, Any]], place: tuple[str, str], rows: list[Row]
) -> dict[tuple[int, int], float | None]:
    """Pairs of rows that a comparison of their table has -> p adjusted there."""
    number = {row: n for n, row in enumerate(rows)}
    found: dict[tuple[int, int], float | None] = {}
    for about in comparisons:
        base = row_of(about["baseline"])
        if (about["track"], about["protocol"]) != place or base not in number:
            continue
        for row in about["rows"]:
            if row_of(row) in number:
                pair = sorted((number[base], number[row_of(row)]))
                found[pair[0], pair[1]] = row["about_methods"]["p"]
    return found


def _across(
    registry: Registry, metric: str, rows: Mapping[Row, Mapping[Any, str]], ranks: Ranks,
    known: Mapping[tuple[int, int], float | None],
) -> dict[str, Any]:  # fmt: skip
    keys = [key for seeds in rows.values() for key in seeds.values()]
    check_same_targets(keys, ranks, "mean ranks")
    units = units_of(ranks(keys[0]))
    scores = [scores_of(registry, metric, seeds, ranks) for seeds in rows.values()]
    placed = mean_ranks(scores, units, draws=DRAWS)
    enough = [s.seeds is None or not few_seeds(len(s.seeds), True) for s in scores]
    runs = groups(placed.means, separated(scores, units, known), enough)
    said = apart = None
    if len(scores) > 2:
        values = np.stack([units.domain_means(s.values).mean(axis=0) for s in scores], axis=-1)
        test = omnibus(values)
        said, apart = test.said, test.critical_difference
    return {
        "metric": metric,
        "domains": len(units.columns),
        "said": said,
        "no_groups": sorted({few_seeds(len(s.seeds), True) for s in scores if s.seeds} - {""}),
        "critical_difference": None if apart is None else plain_numbers(apart),
        "rows": [
            {
                **dict(zip(ROW, row, strict=True)),
                "mean_rank": plain_numbers(placed.means[n]),
                "lower": plain_numbers(placed.lower[n]),
                "upper": plain_numbers(placed.upper[n]),
                "groups": [g + 1 for g, run in enumerate(runs) if n in run],
            }
            for n, row in enumerate(rows)
        ],
    }
