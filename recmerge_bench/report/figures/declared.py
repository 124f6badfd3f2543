"""The figures that a suite declares, from its records alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.courses import course_points, weight_points
from recmerge_bench.report.figures.data import FigureData, Point
from recmerge_bench.report.figures.expert_shares import expert_points
from recmerge_bench.report.figures.memorised import memorised_figures
from recmerge_bench.report.figures.options import option_points
from recmerge_bench.report.figures.rows import Of, row_names
from recmerge_bench.report.figures.side_by_side import (
    comparison_points,
    group_points,
    group_share_points,
    probe_names,
    probe_points,
)

if TYPE_CHECKING:
    from recmerge_bench.results.beside import Curve
    from recmerge_bench.results.header import Figure
    from recmerge_bench.results.records import Records, Result

#: Kind of a figure -> what is on its x axis; figures of an option have its name there.
AXES = {
    "course": "step", "weights": "step", "experts": "merged domains", "groups": "group",
    "group-shares": "group", "probes": "", "comparison": "",
}  # fmt: skip


def figures(records: Records, curves: Sequence[Curve]) -> list[FigureData]:
    """All figures that there is data for: the suite's own, and those of memorised steps."""
    drawn = []
    for name, figure in records.header.figures.items():
        results = _shown(figure, [r for r in records.results if r.done])
        points = tuple(_points(records, figure, results, _shown(figure, curves)))
        if points:
            absent = unrecorded(figure, results)
            note = f" ({absent} results left out: configuration not recorded)" if absent else ""
            x = AXES.get(figure.kind, figure.option)
            drawn.append(
                FigureData(name, figure.title + note, x, points, _ticks(figure.kind, results))
            )
    return drawn + memorised_figures(records)


def _points(
    records: Records, figure: Figure, results: Sequence[Result], curves: Sequence[Curve]
) -> Iterator[Point]:
    metric = records.header.primary
    match figure.kind:
        case "course":
            return course_points(curves)
        case "weights":
            return weight_points(curves)
        case "option":
            return option_points(records, figure.option, results)
        case "experts":
            return expert_points(records, results)
        case "groups":
            return group_points(metric, figure.option, results)
        case "group-shares":
            return group_share_points(records, figure.option, results)
        case "probes":
            return probe_points(results)
        case "comparison":
            return comparison_points(metric, results)


def _ticks(kind: str, results: Sequence[Result]) -> tuple[str, ...]:
    """Names of x = 0, 1, ..., where a figure has any."""
    if kind == "probes":
        return probe_names(results)
    return row_names(results) if kind == "comparison" else ()


def _shown(figure: Figure, rows: Sequence[Of]) -> list[Of]:
    """Results or curves that the figure is of."""
    return [row for row in rows if figure.shows(row.identity)]


def unrecorded(figure: Figure, results: Sequence[Result]) -> int:
    """How many results a figure of an option leaves out for want of a configuration."""
    return sum(r.configuration is None for r in results) if figure.kind == "option" else 0
