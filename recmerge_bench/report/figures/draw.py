"""Figures as SVG, by matplotlib; equal data gives equal bytes (with one version of it)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.files import write_text
from recmerge_bench.report.figures.canvas import COLOURS, LONGEST_TITLE, drawn, label
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
#: More lines than this are drawn without their spread.
BANDS = 4
#: Inches of a named row, of each further mark in it, and of all that is above and below the rows.
LINE, FURTHER, AROUND = 0.19, 0.09, 1.0
#: Size of print of names, and how far the names of two lines stand apart at least, as a share of
#: the height of the axes.
SIZE, APART = 6.5, 0.042
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
        axes = figure.subplots(1, len(panels), squeeze=False, sharey=rows)[0]
        for ax, panel in zip(axes, panels, strict=True):
            (_rows if rows else _lines)(ax, data, panel)
        figure.suptitle(label(data.title, LONGEST_TITLE), fontsize=10)
        if rows and len(data.series) > 1:
            handles, names = axes[0].get_legend_handles_labels()
            figure.legend(
                handles, names, fontsize=SIZE, loc="outside lower center", ncols=2, frameon=False,
                title=_foot(data), title_fontsize=SIZE,
            )  # fmt: skip
        else:
            figure.supxlabel(_foot(data), fontsize=SIZE, color="0.35")

    return drawn(data.name, _size(data, len(panels)), paint)


def _size(data: FigureData, panels: int) -> tuple[float, float]:
    """Inches."""
    if data.mark == "line":
        return 5.4 * panels, 3.6
    line = LINE + FURTHER * (len(data.series) - 1)
    return 2.6 + 3.0 * panels, line * len(data.ticks) + AROUND


def _foot(data: FigureData) -> str:
    """What the spread is, and which lines are left out."""
    known = any(p.spread is not None for p in data.points)
    drawn_too = data.mark != "line" or len(data.shown) <= BANDS
    parts = [data.spread] if known and drawn_too else []
    parts += data.series if data.mark != "line" and len(data.series) == 1 else []
    if len(data.shown) < len(data.series):
        parts.append(f"the best {len(data.shown)} of {len(data.series)} lines; all are in the CSV")
    return "; ".join(parts)


def _style(number: int) -> tuple[str, str, str]:
    """Colour, marker and dashes of a line."""
    return (
        COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)],
        DASHES[number % len(DASHES)],
    )  # fmt: skip


def _dress(ax: Axes, x: str, y: str) -> None:
    """Names of the axes, and what all panels have."""
    ax.set_xlabel(label(x), fontsize=8)
    ax.set_ylabel(label(y), fontsize=8)
    ax.tick_params(labelsize=7)
    ax.grid(alpha=0.25, linewidth=0.5)
    ax.spines[["top", "right"]].set_visible(False)


def _lines(ax: Axes, data: FigureData, panel: str) -> None:
    """Lines of one panel; many decades of x make its axis logarithmic."""
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
    _dress(ax, data.x, panel)
    _beside(ax, ends)


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


def _beside(ax: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """The lines' names at their right ends, moved apart where they would cover one another."""
    low, high = ax.get_ylim()
    shares = [(y - low) / (high - low) for y, _, _ in ends]
    for (_, name, colour), place in zip(ends, apart(shares, APART), strict=True):
        ax.annotate(
            name, (1, place), xycoords="axes fraction", xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=SIZE, color=colour,
            annotation_clip=False,
        )  # fmt: skip


def apart(places: Sequence[float], least: float) -> list[float]:
    """Places from 0 to 1, moved as little as keeps them `least` apart and in their order.

    They stay within 0 and 1 as far as there is room for all.
    """
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    moved = list(places)
    below = -least
    for n in order:
        moved[n] = below = max(places[n], below + least)
    above = 1.0 + least
    for n in reversed(order):
        moved[n] = above = min(moved[n], above - least)
    return moved


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
    _dress(ax, panel, data.x)
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
