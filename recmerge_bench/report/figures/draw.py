"""Figures as SVG, by matplotlib; equal data gives equal bytes (with one version of it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.files import write_text
from recmerge_bench.report.figures.canvas import LONGEST_TITLE, drawn, label
from recmerge_bench.report.figures.data import FigureData, Point
from recmerge_bench.report.figures.pareto import Pareto
from recmerge_bench.untrusted.paths import within

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest x by smallest x above 0 from which an axis is logarithmic.
DECADES = 1000
#: Lines of fewer points have a mark at each.
MARKED = 12
#: Names on the x axis; more of them than this stand on the y axis, a line each.
ABREAST = 20
#: Inches of such a line, and of all that is above and below them.
LINE, AROUND = 0.15, 1.0


def write_figure(data: FigureData | Pareto, folder: Path, prefix: str) -> list[Path]:
    """Write ``<prefix>-<name>.csv`` and ``.svg``; returns their paths.

    Raises:
        HandledError: matplotlib is not installed.
    """
    table, picture = (within(folder, f"{prefix}-{data.name}{end}") for end in (".csv", ".svg"))
    if isinstance(data, Pareto):
        from recmerge_bench.report.figures.draw_pareto import pareto_svg

        text = pareto_svg(data)
    else:
        text = svg(data)
    write_text(table, data.csv())
    write_text(picture, text)
    return [table, picture]


def svg(data: FigureData) -> str:
    """The figure: a panel for each y axis, a line with its spread for each series.

    Raises:
        HandledError: matplotlib is not installed.
    """
    panels = list(dict.fromkeys(p.panel for p in data.points))

    def paint(figure: Figure) -> None:
        for number, panel in enumerate(panels):
            axes = figure.add_subplot(1, len(panels), number + 1)
            _draw(axes, data, panel)
            if number == 0 or _series(data, panel) != _series(data, panels[0]):
                axes.legend(fontsize=6)
        figure.suptitle(label(data.title, LONGEST_TITLE), fontsize=10)

    width, height = (6.4, LINE * len(data.ticks) + AROUND) if _lies(data) else (4.2, 3.6)
    return drawn(data.name, (width * len(panels), height), paint)


def _lies(data: FigureData) -> bool:
    """Whether what is named stands on the y axis."""
    return len(data.ticks) > ABREAST


def _series(data: FigureData, panel: str) -> list[str]:
    return list(dict.fromkeys(p.series for p in data.points if p.panel == panel))


def _scale(ax: Axes, points: Sequence[Point]) -> None:
    xs = sorted({p.x for p in points if p.x > 0})
    if xs and xs[-1] / xs[0] >= DECADES:
        ax.set_xscale("symlog", linthresh=xs[0])


def _draw(ax: Axes, data: FigureData, panel: str) -> None:
    """Lines of one panel; many decades of x make its axis logarithmic."""
    points = [p for p in data.points if p.panel == panel]
    if _lies(data):
        return _draw_lying(ax, data, panel, points)
    draw = _marks if data.ticks else _line
    for series in _series(data, panel):
        draw(ax, [p for p in points if p.series == series], label(series))
    _scale(ax, points)
    if data.ticks:
        ax.set_xticks(range(len(data.ticks)), list(map(label, data.ticks)), rotation=60, ha="right")
    _dress(ax, data.x, panel)


def _dress(ax: Axes, x: str, y: str) -> None:
    """Names of the axes, and what all panels have."""
    ax.set_xlabel(label(x), fontsize=8)
    ax.set_ylabel(label(y), fontsize=8)
    ax.tick_params(labelsize=7)
    ax.grid(alpha=0.25, linewidth=0.5)


def _draw_lying(ax: Axes, data: FigureData, panel: str, points: Sequence[Point]) -> None:
    """Many names one below the other, the first on top, their values to the right."""
    for series in _series(data, panel):
        line = [p for p in points if p.series == series]
        spread = [p.spread or 0 for p in line]
        ax.errorbar(
            [p.y for p in line], [p.x for p in line], xerr=spread, fmt="o", markersize=3,
            label=label(series),
        )  # fmt: skip
    ax.set_yticks(range(len(data.ticks)), list(map(label, data.ticks)))
    ax.set_ylim(len(data.ticks) - 0.5, -0.5)
    _dress(ax, panel, data.x)


def _marks(ax: Axes, line: Sequence[Point], name: str) -> None:
    """Points with their spread, where x is no number."""
    spread = [p.spread or 0 for p in line]
    ax.errorbar([p.x for p in line], [p.y for p in line], spread, fmt="o", markersize=3, label=name)


def _line(ax: Axes, line: Sequence[Point], name: str) -> None:
    """A line, and its spread where all of its points have one."""
    x, y = [p.x for p in line], [p.y for p in line]
    marker = "o" if len(line) < MARKED else None
    (curve,) = ax.plot(x, y, label=name, marker=marker, markersize=3, linewidth=1.2)
    if all(p.spread is not None for p in line):
        low = [p.y - (p.spread or 0) for p in line]
        high = [p.y + (p.spread or 0) for p in line]
        ax.fill_between(x, low, high, alpha=0.15, color=curve.get_color(), linewidth=0)
