"""Ablations: the differences of a method's variants from the whole, with their intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.data import FigureData, Point
from recmerge_bench.report.figures.rows import named

if TYPE_CHECKING:
    from recmerge_bench.results.compared import Claim, Compared, ComparedRow
    from recmerge_bench.results.header import Figure
    from recmerge_bench.results.records import Records

INTERVAL = "95 % interval of this difference alone"


def whole_of(records: Records, figure: Figure) -> list[Compared]:
    """The comparisons that a figure of rows is better drawn as; none where it is no ablation.

    It is one where every row that is compared on its tracks is of the baseline's own method.
    """
    families = [
        c
        for c in records.comparisons
        if (not figure.tracks or c.track in figure.tracks)
        and (not figure.protocols or c.protocol in figure.protocols)
    ]
    alike = all(row.method == c.baseline.method for c in families for row in c.rows)
    return families if alike and any(c.rows for c in families) else []


def ablation_figure(
    name: str, title: str, records: Records, families: list[Compared]
) -> FigureData:
    """Names as rows, a panel for each metric, protocol and baseline.

    The interval resamples seeds and users where there are seeds enough, else users alone; the
    series says which.
    """
    ticks = tuple(dict.fromkeys(_name(row) for c in families for row in c.rows))
    whats = [_difference(family) for family in families]
    y = whats[0] if len(set(whats)) == 1 else ""
    points: list[Point] = []
    for family, what in zip(families, whats, strict=True):
        panel = family.protocol if y else f"{what}, {family.protocol}"
        points += _points(family, ticks, panel)
    return FigureData(name, title, "", tuple(points), ticks, "dot", INTERVAL, y)


def _difference(family: Compared) -> str:
    """What the values of a family are."""
    base = family.baseline
    whole = f"{base.method} ({base.variant})" if base.variant else named(base)
    return f"difference in {family.metric} from {whole}"


def _points(family: Compared, ticks: tuple[str, ...], panel: str) -> Iterator[Point]:
    for row in family.rows:
        claim, series = _claim(row)
        spread = None if claim is None else (claim.upper - claim.lower) / 2
        x = ticks.index(_name(row))
        yield Point(panel, series, float(x), row.difference, spread, len(row.seeds))


def _claim(row: ComparedRow) -> tuple[Claim | None, str]:
    if row.methods is not None:
        return row.methods, "resampling seeds and users"
    return row.trained_models, "these models: resampling users alone"


def _name(row: ComparedRow | object) -> str:
    """Variant where there is one: the method is the same for all."""
    variant = getattr(row, "variant", "")
    return variant or named(row)  # type: ignore[arg-type]
