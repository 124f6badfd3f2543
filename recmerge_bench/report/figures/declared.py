"""The figures that a suite declares, from its records alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.ablations import ablation_figure, whole_of
from recmerge_bench.report.figures.courses import course_points, weight_points
from recmerge_bench.report.figures.data import DEVIATION, FigureData, Mark, Point
from recmerge_bench.report.figures.expert_shares import expert_of, expert_points
from recmerge_bench.report.figures.memorised import memorised_figures
from recmerge_bench.report.figures.options import option_points
from recmerge_bench.report.figures.phases import phase_points
from recmerge_bench.report.figures.rows import Of, row_names
from recmerge_bench.report.figures.side_by_side import (
    comparison_points,
    group_names,
    group_points,
    group_share_points,
    probe_names,
    probe_points,
)

if TYPE_CHECKING:
    from recmerge_bench.results.beside import Curve
    from recmerge_bench.results.header import Figure
    from recmerge_bench.results.records import Records, Result

#: Kind of a figure -> what is on its x axis; figures of an option have its name there, those of
#: groups what their bounds are of.
AXES = {
    "course": "step", "weights": "step", "experts": "merged domains", "probes": "",
    "comparison": "", "phases": "tested phase",
}  # fmt: skip
MARKS: dict[str, Mark] = {"probes": "bar", "comparison": "dot"}
OVER_USERS = "± one standard deviation over users"
#: Kind of a figure -> what its values are, where its panels are named by something else.
VALUES = {"weights": "learned weight of an expert", "probes": "mean over test users"}


def figures(records: Records, curves: Sequence[Curve]) -> list[FigureData]:
    """All figures that there is data for: the suite's own, and those of memorised steps."""
    drawn = []
    for name, figure in records.header.figures.items():
        results = _shown(figure, [r for r in records.results if r.done])
        data = _figure(name, records, figure, results, _shown(figure, curves))
        drawn += [data] if data.points else []
    return drawn + memorised_figures(records)


def _figure(
    name: str, records: Records, figure: Figure, results: Sequence[Result], curves: Sequence[Curve]
) -> FigureData:
    if figure.kind == "comparison" and (whole := whole_of(records, figure)):
        return ablation_figure(name, figure.title, records, whole)
    points = tuple(_points(records, figure, results, curves))
    absent = unrecorded(figure, results)
    note = f" ({absent} results left out: configuration not recorded)" if absent else ""
    ticks, x = _ticks(records, figure, results)
    values = records.header.primary if figure.kind == "comparison" else VALUES.get(figure.kind, "")
    return FigureData(
        name, figure.title + note, x, points, ticks, MARKS.get(figure.kind, "line"),
        OVER_USERS if figure.kind == "probes" else DEVIATION, values,
    )  # fmt: skip


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
        case "groups" | "group-shares":
            shares = figure.kind == "group-shares"
            if shares or any(expert_of(records, result) for result in results):
                return group_share_points(records, figure.option, results)
            return group_points(metric, figure.option, results)
        case "probes":
            return probe_points(results)
        case "phases":
            return phase_points(records, figure)
        case "comparison":
            return comparison_points(metric, results)


def _ticks(
    records: Records, figure: Figure, results: Sequence[Result]
) -> tuple[tuple[str, ...], str]:
    """Names of x = 0, 1, ..., where a figure has any; and what is on the axis."""
    x = AXES.get(figure.kind, figure.option)
    match figure.kind:
        case "probes":
            return probe_names(results), x
        case "comparison":
            return row_names(results), x
        case "groups" | "group-shares":
            names, what = group_names(records, figure.option, results)
            return tuple(names), what
        case _:
            return (), x


def _shown(figure: Figure, rows: Sequence[Of]) -> list[Of]:
    """Results or curves that the figure is of."""
    return [row for row in rows if figure.shows(row.identity)]


def unrecorded(figure: Figure, results: Sequence[Result]) -> int:
    """How many results a figure of an option leaves out for want of a configuration."""
    return sum(r.configuration is None for r in results) if figure.kind == "option" else 0
