"""Mean ranks over a table's domains, and which methods cannot be told apart; from stored ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.identity import Place, Row
from recmerge_bench.registry import Registry
from recmerge_bench.results.compared import Across, Compared, RankedRow
from recmerge_bench.results.comparisons import (
    Ranks,
    check_same_targets,
    plain_numbers,
    rows_of,
    scores_of,
    units_of,
)
from recmerge_bench.results.gates import closed
from recmerge_bench.results.header import Header
from recmerge_bench.results.places import board_places
from recmerge_bench.results.records import Result
from recmerge_bench.statistics.across import MeanRanks, groups, mean_ranks, omnibus, separated
from recmerge_bench.statistics.scores import Scores, Units
from recmerge_bench.statistics.verdicts import few_seeds, few_users

DRAWS = 1000


def make_across(
    registry: Registry,
    header: Header,
    results: Sequence[Result],
    ranks: Ranks,
    comparisons: Sequence[Compared] = (),
) -> list[Across]:
    """One for each table of two domains and two complete rows or more; smoke boards: none.

    None either where a domain has too few users for a verdict. A row is complete where it has as
    many seeds as any row of its table, or depends on none. Rows of a backbone whose gate is shut
    are not ranked.

    Args:
        registry: for the metric.
        header: of the suite.
        results: done or not.
        ranks: key of a result -> its table.
        comparisons: with the baseline, already judged: such pairs are told apart as there.
    """
    averages: list[Across] = []
    if header.label == "smoke":
        return averages
    for place in _places(header):
        done = {row: seeds for row, seeds in _judged(header, results, place).items() if seeds}
        whole = _complete(done)
        if len(whole) > 1 and _enough(ranks(_first(whole))):
            known, left_out = _known(comparisons, place, list(whole)), len(done) - len(whole)
            averages.append(_across(registry, header.primary, place, whole, left_out, ranks, known))
    return averages


def _places(header: Header) -> list[Place]:
    """Tables of two domains or more, of those that boards print by themselves."""
    return [place for place in board_places(header) if len(header.tracks[place.track].domains) > 1]


def _complete(rows: Mapping[Row, Mapping[int | None, str]]) -> dict[Row, Mapping[int | None, str]]:
    """Rows of as many seeds as any, and rows that depend on none."""
    most = max((len(seeds) for seeds in rows.values()), default=0)
    return {row: seeds for row, seeds in rows.items() if len(seeds) == most or None in seeds}


def _judged(
    header: Header, results: Sequence[Result], place: Place
) -> dict[Row, dict[int | None, str]]:
    """The rows of a table but those of shut gates; none where these leave no trained backbone."""
    rows, without = rows_of(results, place), closed(header, results, place)
    if not without:
        return rows
    kept = {row: seeds for row, seeds in rows.items() if row.backbone not in without}
    return kept if any(row.backbone for row in kept) else {}


def _first(rows: Mapping[Row, Mapping[int | None, str]]) -> str:
    """Key of any result: all are of the same test targets."""
    return next(iter(next(iter(rows.values())).values()))


def _enough(table: RankTable) -> bool:
    """Whether every domain has users enough for a verdict."""
    users = (np.unique(table.users[table.domain == d]) for d in np.unique(table.domain))
    return len(table.users) > 0 and all(not few_users(len(some)) for some in users)


def _known(
    comparisons: Sequence[Compared], place: Place, rows: list[Row]
) -> dict[tuple[int, int], float | None]:
    """Pairs of rows that a comparison of their table has -> p adjusted there."""
    number = {row: n for n, row in enumerate(rows)}
    p_by_pair: dict[tuple[int, int], float | None] = {}
    for family in comparisons:
        base = family.baseline.row
        if family.place != place or base not in number:
            continue
        for compared in family.rows:
            if compared.row in number:
                pair = sorted((number[base], number[compared.row]))
                p_by_pair[pair[0], pair[1]] = compared.about_methods.p
    return p_by_pair


def _across(
    registry: Registry, metric: str, place: Place, rows: Mapping[Row, Mapping[int | None, str]],
    left_out: int, ranks: Ranks, known: Mapping[tuple[int, int], float | None],
) -> Across:  # fmt: skip
    keys = [key for seeds in rows.values() for key in seeds.values()]
    check_same_targets(keys, ranks, "mean ranks")
    units = units_of(ranks(keys[0]))
    scores = [scores_of(registry, metric, seeds, ranks) for seeds in rows.values()]
    placed = mean_ranks(scores, units, draws=DRAWS)
    enough = [s.seeds is None or not few_seeds(len(s.seeds), True) for s in scores]
    runs = groups(placed.means, separated(scores, units, known), enough)
    sentence, apart = _omnibus(scores, units)
    return Across(
        **place._asdict(),
        left_out=left_out,
        metric=metric,
        domains=len(units.columns),
        said=sentence,
        no_groups=sorted({few_seeds(len(s.seeds), True) for s in scores if s.seeds} - {""}),
        critical_difference=None if apart is None else plain_numbers(apart),
        rows=[_ranked(row, placed, n, runs) for n, row in enumerate(rows)],
    )


def _omnibus(scores: Sequence[Scores], units: Units) -> tuple[str | None, float | None]:
    """A sentence about all rows together and the critical difference, from three rows on."""
    if len(scores) < 3:
        return None, None
    values = np.stack([units.domain_means(s.values).mean(axis=0) for s in scores], axis=-1)
    test = omnibus(values)
    return test.sentence, test.critical_difference


def _ranked(row: Row, placed: MeanRanks, n: int, runs: Sequence[list[int]]) -> RankedRow:
    """The row that is the `n`-th of those ranked; groups are numbered from 1."""
    return RankedRow(
        **row._asdict(),
        mean_rank=plain_numbers(placed.means[n]),
        lower=plain_numbers(placed.lower[n]),
        upper=plain_numbers(placed.upper[n]),
        groups=[number for number, run in enumerate(runs, 1) if n in run],
    )
