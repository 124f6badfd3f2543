"""Figures as SVG, by matplotlib; equal data gives equal bytes (with one version of it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.files import write_text
from recmerge_bench.report.figures.beside import SIZE, End, beside
from recmerge_bench.report.figures.canvas import COLOURS, drawn, head, label
from recmerge_bench.report.figures.data import FigureData, Point
from recmerge_bench.report.figures.names import short_names
from recmerge_bench.report.figures.pareto import Pareto
from recmerge_bench.untrusted.paths import within

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest x by smallest x above 0 from which an axis is logarithmic.
DECADES = 1000
#: Lines of fewer points have a mark at each.
MARKED = 12
#: Panels that stand side by side; more stand below.
COLUMNS = 2
#: More lines than this are drawn without their spread.
BANDS = 4
#: Inches of a named row, of each further mark in it, and of all that is above and below the rows.
LINE, FURTHER, AROUND = 0.19, 0.09, 1.0
#: With the colours, what tells lines apart.
MARKERS, DASHES = "osD^vP*X", ("-", "--", "-.", ":")


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
    """The figure: a panel for each y axis; lines with their names beside them, or names as rows.

    Raises:
        HandledError: matplotlib is not installed.
    """
    panels = list(dict.fromkeys(p.panel for p in data.points))
    rows = data.mark != "line"

    def paint(figure: Figure) -> None:
        lines, columns = _grid(len(panels))
        alike = rows or len({panel.partition(",")[0] for panel in panels}) == 1
        axes = figure.subplots(lines, columns, squeeze=False, sharey=alike).flatten()
        used = axes[: len(panels)]
        if rows:
            for ax, panel in zip(used, panels, strict=True):
                _rows(ax, data, panel)
        else:
            ends = [_lines(ax, data, panel) for ax, panel in zip(used, panels, strict=True)]
            for ax, names in zip(used, ends, strict=True):
                beside(ax, names)  # an axis has its height when all panels have been drawn
        for ax in axes[len(panels) :]:
            ax.remove()
        head(figure, data.title)
        if rows and len(data.series) > 1:
            handles, names = axes[0].get_legend_handles_labels()
            figure.legend(
                handles, names, fontsize=SIZE, loc="outside lower center", ncols=2, frameon=False,
                title=_foot(data), title_fontsize=SIZE,
            )  # fmt: skip
        else:
            figure.supxlabel(_foot(data), fontsize=SIZE, color="0.35")

    return drawn(data.name, _size(data, len(panels)), paint)


def _grid(panels: int) -> tuple[int, int]:
    """Lines and columns of panels: as wide as a page shows at a size that can be read."""
    columns = min(panels, COLUMNS)
    return -(-panels // columns), columns


def _size(data: FigureData, panels: int) -> tuple[float, float]:
    """Inches."""
    lines, columns = _grid(panels)
    if data.mark == "line":
        return 5.4 * columns, 3.6 * lines
    line = LINE + FURTHER * (len(data.series) - 1)
    return 2.6 + 3.0 * columns, (line * len(data.ticks) + AROUND) * lines


def _foot(data: FigureData) -> str:
    """What the spread is, and which lines are left out."""
    known = any(p.spread is not None for p in data.points)
    drawn_too = data.mark != "line" or len(data.shown) <= BANDS
    parts = [data.spread] if known and drawn_too else []
    alone = data.mark != "line" and data.series != [data.y] and len(data.series) == 1
    parts += data.series if alone else []
    if len(data.shown) < len(data.series):
        parts.append(f"the best {len(data.shown)} of {len(data.series)} lines; all are in the CSV")
    return "; ".join(parts)


def _style(number: int) -> tuple[str, str, str]:
    """Colour, marker and dashes of a line."""
    return (
        COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)],
        DASHES[number % len(DASHES)],
    )  # fmt: skip


def _dress(ax: Axes, data: FigureData, panel: str) -> None:
    """Names of the axes and of the panel, and what all panels have."""
    values = data.y or panel
    x, y = (data.x, values) if data.mark == "line" else (values, data.x)
    if data.y:
        ax.set_title(label(panel), fontsize=8)
    ax.set_xlabel(label(x), fontsize=8)
    ax.set_ylabel(label(y), fontsize=8)
    ax.tick_params(labelsize=7)
    ax.grid(alpha=0.25, linewidth=0.5)
    ax.spines[["top", "right"]].set_visible(False)


def _lines(ax: Axes, data: FigureData, panel: str) -> list[End]:
    """Lines of one panel, and where they end; many decades of x make its axis logarithmic."""
    points = [p for p in data.points if p.panel == panel and p.series in data.shown]
    short = short_names(data.shown)
    ends = []
    for number, series in enumerate(data.shown):
        line = [p for p in points if p.series == series]
        if line:
            _line(ax, line, number, len(data.shown) <= BANDS)
            ends.append((line[-1].y, label(short[series]), _style(number)[0]))
    _scale(ax, points)
    if data.ticks:
        ax.set_xticks(range(len(data.ticks)), list(map(label, data.ticks)))
    elif data.whole and len({p.x for p in points}) < MARKED:
        ax.set_xticks(sorted({p.x for p in points}))
    _dress(ax, data, panel)
    return ends


def _scale(ax: Axes, points: Sequence[Point]) -> None:
    xs = sorted({p.x for p in points if p.x > 0})
    if xs and xs[-1] / xs[0] >= DECADES:
        ax.set_xscale("symlog", linthresh=xs[0])


def _line(ax: Axes, line: Sequence[Point], number: int, bands: bool) -> None:
    """A line, and its spread where all of its points have one."""
    colour, marker, dashes = _style(number)
    x, y = [p.x for p in line], [p.y for p in line]
    ax.plot(
        x, y, marker=marker if len(line) < MARKED else None, markersize=3, linewidth=1.2,
        color=colour, linestyle=dashes,
    )  # fmt: skip
    if bands and all(p.spread is not None for p in line):
        low = [p.y - (p.spread or 0) for p in line]
        high = [p.y + (p.spread or 0) for p in line]
        ax.fill_between(x, low, high, alpha=0.1, color=colour, linewidth=0)


def _rows(ax: Axes, data: FigureData, panel: str) -> None:
    """Names one below the other, the first on top; what belongs to them to the right."""
    short = short_names(data.ticks)
    step = 0.7 / max(1, len(data.series))
    for number, series in enumerate(data.series):
        line = [p for p in data.points if (p.panel, p.series) == (panel, series)]
        places = [round(p.x) + step * (number - (len(data.series) - 1) / 2) for p in line]
        (_bars if data.mark == "bar" else _dots)(ax, line, places, label(series), number, step)
    if min((p.y for p in data.points), default=0) < 0 or data.mark == "bar":
        ax.axvline(0, color="0.4", linewidth=0.8)
    ax.set_yticks(range(len(data.ticks)), [label(short[t]) for t in data.ticks])
    ax.set_ylim(len(data.ticks) - 0.5, -0.5)
    _dress(ax, data, panel)
    ax.locator_params(axis="x", nbins=6)


def _dots(
    ax: Axes, line: Sequence[Point], places: Sequence[float], name: str, number: int, _: float
) -> None:
    colour, marker, _dashes = _style(number)
    ax.errorbar(
        [p.y for p in line], places, xerr=[p.spread or 0 for p in line], fmt=marker,
        markersize=3.5, linewidth=1, color=colour, label=name,
    )  # fmt: skip


def _bars(
    ax: Axes, line: Sequence[Point], places: Sequence[float], name: str, number: int, step: float
) -> None:
    ax.barh(
        places, [p.y for p in line], height=step * 0.9, color=_style(number)[0], label=name,
        xerr=[p.spread or 0 for p in line], error_kw={"linewidth": 0.8, "ecolor": "0.3"},
    )  # fmt: skip
