"""The comparisons of a table as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place, Row
from recmerge_bench.report.boards.elements import p_value, plain, table
from recmerge_bench.report.boards.table import Line, names_of
from recmerge_bench.results.compared import Compared, ComparedRow, Judgement
from recmerge_bench.results.records import Records
from recmerge_bench.statistics.verdicts import NONE, UNRECORDED, shown
from recmerge_bench.untrusted.texts import code

#: Verdicts that leave it open which of two methods is better.
OPEN = (NONE, "undecided")
NOTE = (
    "Difference of the means over the domains. *Methods*: resampling seeds and users (crossed "
    "variance); *these models*: resampling users alone. For each: what is said of it, the "
    "interval behind that and p, all within the family of this table's rows (on all backbones): p "
    "is two-sided, adjusted by Holm; where Holm tests a row at 5 % / k, its interval has the "
    "level 1 − 5 % / k, so that it leaves out zero where p is at most 5 %. Equivalent: the "
    "interval lies within ±1 % of the baseline. *This row alone*: the claim about the methods "
    "without the others, 95 %, and the two-level bootstrap beside it. No verdict: fewer than five "
    "seeds, fewer than 30 users in a domain, or a difference that is the same for every user. The "
    "rule: benchmarks/statistics/README.md."
)


def verdict_text(row: ComparedRow) -> str:
    """The verdict of a compared row as boards print it."""
    judgement = row.about_methods
    return shown(judgement.verdict, judgement.reason)


def models_verdict_text(row: ComparedRow) -> str:
    """What is said of these trained models."""
    judgement = row.about_models
    return shown(judgement.verdict, judgement.reason)


def in_words(row: ComparedRow) -> str:
    """The verdict; where it leaves the methods open, what is said of these models too."""
    return verdict_text(row) + (
        f"; these models: {models_verdict_text(row)}" if models_beside(row) else ""
    )


def models_beside(row: ComparedRow) -> bool:
    """Whether something is said of these models where the verdict leaves the methods open."""
    methods, models = row.about_methods.verdict, row.about_models.verdict
    return methods in OPEN and models not in (NONE, UNRECORDED, methods)


def comparison_of(records: Records, place: Place) -> list[Compared]:
    """The comparisons of one table: one for each backbone that has a baseline."""
    return [c for c in records.comparisons if c.place == place]


def compared_rows(comparisons: Sequence[Compared]) -> dict[Row, ComparedRow | None]:
    """Row -> its comparison, in the first entry that has it; None for a baseline."""
    by_row: dict[Row, ComparedRow | None] = {}
    for family in comparisons:
        by_row[family.baseline.row] = None
        for row in family.rows:
            by_row.setdefault(row.row, row)
    return by_row


def verdicts_of(comparisons: Sequence[Compared]) -> dict[Row, str]:
    """Row -> its verdict in words; the baseline's own is ``baseline``."""
    rows = compared_rows(comparisons)
    return {name: "baseline" if row is None else in_words(row) for name, row in rows.items()}


def section(family: Compared, lines: Sequence[Line]) -> list[str]:
    """Heading, table and what its columns are."""
    names = names_of(lines)
    base = names.get(family.baseline.row, ("", family.baseline.method))
    backbone = f" on {base[0]}" if base[0] not in ("", "–") else ""
    rows = []
    for row in family.rows:
        name = names.get(row.row, (row.backbone, row.method))
        alone, effect, relative = row.methods, row.effect, row.relative
        rows.append(
            [
                plain(name[1]),
                f"{row.difference:+.4f}",
                "–" if relative is None else f"{100 * relative:+.1f} %",
                *_judged(row.about_methods),
                *_judged(row.about_models),
                "–" if alone is None else _interval(alone.lower, alone.upper),
                "–" if row.bootstrap is None else _interval(*row.bootstrap),
                "–" if effect.dz is None else f"{effect.dz:+.3f}",
                f"{effect.wins}/{effect.ties}/{effect.losses}",
            ]
        )
    headers = [
        "method", "difference", "relative", "verdict (methods)", "interval", "p",
        "verdict (these models)", "interval", "p", "methods, this row alone", "bootstrap", "dz",
        "win/tie/loss",
    ]  # fmt: skip
    heading = f"### {plain(family.metric)}: differences from {code(base[1])}{backbone}"
    return [heading, table(headers, rows), NOTE]


def _judged(judgement: Judgement) -> tuple[str, str, str]:
    """Verdict, the interval behind it, p."""
    verdict = shown(judgement.verdict, judgement.reason)
    if judgement.p is None or judgement.lower is None or judgement.upper is None:
        return verdict, "–", "–"
    return verdict, _interval(judgement.lower, judgement.upper), p_value(judgement.p)


def _interval(lower: float, upper: float) -> str:
    return f"[{lower:+.4f}, {upper:+.4f}]"
