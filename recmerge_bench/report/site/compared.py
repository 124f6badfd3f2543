"""What records say of rows together, as the site's pages read it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from recmerge_bench.report.boards.table import Line
from recmerge_bench.report.boards.verdicts import models_beside, models_verdict_text
from recmerge_bench.report.site.numbers import short
from recmerge_bench.report.site.values import (
    Baseline,
    Difference,
    Interval,
    MeanRanks,
    RankedRow,
    Verdict,
)

if TYPE_CHECKING:
    from recmerge_bench.identity import Place, Row
    from recmerge_bench.results.compared import Across, Claim, Compared, ComparedRow, Judgement
    from recmerge_bench.results.records import Records


def row_id(row: Row) -> str:
    """A short name of a row, for links to a view of a table."""
    return hashlib.sha256("\0".join(row).encode()).hexdigest()[:6]


def verdicts(comparisons: Sequence[Compared]) -> dict[Row, Verdict]:
    """Row -> verdict and what it follows from; the first family that has the row."""
    by_row: dict[Row, Verdict] = {}
    for family, compared in enumerate(comparisons):
        by_row[compared.baseline.row] = Verdict("baseline", "")
        for row in compared.rows:
            by_row.setdefault(row.row, _verdict(family, row))
    return by_row


def _verdict(family: int, row: ComparedRow) -> Verdict:
    methods = row.about_methods
    return Verdict(
        methods.verdict, methods.reason, models_verdict_text(row), models_beside(row),
        _difference(family, row),
    )  # fmt: skip


def _difference(family: int, row: ComparedRow) -> Difference:
    effect, bootstrap = row.effect, row.bootstrap
    return Difference(
        family=family,
        mean=short(row.difference),
        relative=short(row.relative),
        methods=_interval(row.about_methods),
        p=short(row.about_methods.p),
        models=_interval(row.about_models),
        alone=_interval(row.methods),
        bootstrap=None if bootstrap is None else (short(bootstrap[0]), short(bootstrap[1])),
        dz=short(effect.dz),
        wins=(effect.wins, effect.ties, effect.losses),
    )


def _interval(of: Judgement | Claim | None) -> Interval | None:
    if of is None or of.lower is None or of.upper is None:
        return None
    return short(of.lower), short(of.upper)


def baseline_of(compared: Compared, lines: Sequence[Line]) -> Baseline:
    """The baseline of a comparison as the table prints it."""
    row = compared.baseline.row
    printed = [line.name for line in lines if line.identity.row == row]
    return Baseline(
        metric=compared.metric,
        id=row_id(row),
        label=" ".join(n for n in printed[0] if n != "–") if printed else row.method,
        mean=short(compared.rows[0].baseline) if compared.rows else None,
    )


def mean_ranks(records: Records, place: Place) -> MeanRanks | None:
    """Mean ranks of a table, where records have any."""
    table = next((across for across in records.across if across.place == place), None)
    if table is None:
        return None
    return MeanRanks(
        metric=table.metric,
        rows=[RankedRow(row_id(r.row), r.mean_rank, r.lower, r.upper) for r in table.rows],
        groups=_groups(table),
        said=table.said,
        difference=short(table.critical_difference),
        left=table.left_out,
    )


def _groups(table: Across) -> list[list[int]]:
    """Numbers of the rows of each group, by the groups' numbers from 1 on."""
    last = max((group for row in table.rows for group in row.groups), default=0)
    return [
        [number for number, row in enumerate(table.rows) if group in row.groups]
        for group in range(1, last + 1)
    ]
