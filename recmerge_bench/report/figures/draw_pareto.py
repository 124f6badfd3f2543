"""Plots of quality against cost: a point a row, the frontier as a line, its rows named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.beside import beside
from recmerge_bench.report.figures.canvas import COLOURS, LONGEST_TITLE, drawn, head, label
from recmerge_bench.report.figures.pareto import MERGE, Pareto, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

#: Left, lower, right and upper edge, in pixels.
Box = tuple[float, float, float, float]
MARKERS = "osD^vP"
SIZE = 6.0
#: Where a name may stand beside its point, in points of print, first choice first.
OFFSETS = [(4, 3), (4, -8), (-4, 3), (-4, -8), (4, 11), (-4, 11), (4, -16), (-4, -16)]
#: Costs that differ less are drawn on a linear axis.
DECADE = 10.0
#: Half a mark, in points of print.
HALF = 3.0
#: Square pixels of overlap that do not matter.
LEVEL = 0.5
#: Marks of the legend that stand side by side in an inch.
ACROSS = 0.6
#: Width of a character as a share of the size of print.
WIDTH = 0.55


def pareto_svg(data: Pareto) -> str:
    """The plot, a panel for each cost.

    Raises:
        HandledError: matplotlib is not installed.
    """
    panels = list(dict.fromkeys(r.panel for r in data.rows))

    def paint(figure: Figure) -> None:
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for ax, panel in zip(axes, panels, strict=True):
            _points(ax, data, panel)
        axes[0].set_ylabel(label(f"{data.metric}, mean over the domains"), fontsize=8)
        _legend(figure, data)
        head(figure, data.title)
        figure.draw_without_rendering()  # places are known from here on
        for ax, panel in zip(axes, panels, strict=True):
            _names(ax, [r for r in data.rows if r.panel == panel])

    return drawn(data.name, (5.2 * len(panels), 4.0), paint)


def _legend(figure: Figure, data: Pareto) -> None:
    """Backbones below the panels; filled marks are the frontier's."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D(
            [], [], marker=MARKERS[n % len(MARKERS)], color=COLOURS[n % len(COLOURS)],
            label=label("no backbone" if name == "–" else name), linestyle="", markersize=5,
        )
        for n, name in enumerate(_backbones(data))
        if len(_backbones(data)) > 1
    ]  # fmt: skip
    frontier = "frontier (better by more than noise), its rows filled"
    marks.append(Line2D([], [], color="0.6", label=frontier))
    columns = max(2, int(figure.get_figwidth() * ACROSS))
    figure.legend(
        handles=marks, fontsize=SIZE, loc="outside lower center", ncols=min(columns, len(marks))
    )


def _backbones(data: Pareto) -> list[str]:
    return list(dict.fromkeys(r.backbone for r in data.rows))


def _points(ax: Axes, data: Pareto, panel: str) -> None:
    rows = [r for r in data.rows if r.panel == panel]
    backbones = _backbones(data)
    _frontier(ax, rows)
    for number, backbone in enumerate(backbones):
        _scatter(ax, [r for r in rows if r.backbone == backbone], number)
    ends = []
    for backbone, method, value in data.levels if panel == MERGE else ():
        colour = COLOURS[backbones.index(backbone) % len(COLOURS)]
        ax.axhline(value, color=colour, linestyle=":", linewidth=1, zorder=0)
        name = method if len(data.levels) == 1 else f"{method}, {backbone}"
        ends.append((value, label(name), colour))
    _axis(ax, [r.seconds for r in rows], panel)
    beside(ax, ends)


def _axis(ax: Axes, costs: Sequence[float], panel: str) -> None:
    ax.set_xscale("log" if max(costs) >= DECADE * min(costs) else "linear")
    ax.margins(x=0.15, y=0.1)
    ax.set_xlabel(label(panel), fontsize=8)
    ax.tick_params(labelsize=7, which="both")
    ax.grid(alpha=0.25, linewidth=0.5)


def _frontier(ax: Axes, rows: Sequence[Row]) -> None:
    line = sorted((r.seconds, r.value) for r in rows if r.frontier)
    ax.plot(*zip(*line, strict=True), drawstyle="steps-post", color="0.6", linewidth=1, zorder=1)


def _scatter(ax: Axes, rows: Sequence[Row], number: int) -> None:
    """The marks of a backbone, the `number`-th; those of the frontier are filled."""
    faces = [COLOURS[number % len(COLOURS)] if r.frontier else "none" for r in rows]
    ax.scatter(
        [r.seconds for r in rows], [r.value for r in rows], s=22, linewidths=1,
        marker=MARKERS[number % len(MARKERS)], facecolors=faces,
        edgecolors=COLOURS[number % len(COLOURS)],
    )  # fmt: skip


def _names(ax: Axes, rows: Sequence[Row]) -> None:
    """The frontier's names where they cover no other name and few marks, inside, if that goes."""
    scale = ax.figure.dpi / 72
    frame = ax.get_window_extent()
    places = {id(r): ax.transData.transform((r.seconds, r.value)) for r in rows}
    marks = [_square(float(x), float(y), HALF * scale) for x, y in places.values()]
    taken: list[Box] = []

    def cost(box: Box) -> float:
        covered = sum(_overlap(box, m) for m in marks)
        return (
            _outside(box, frame) * 100 + covered + 10 * sum(_overlap(box, other) for other in taken)
        )

    for row in sorted((r for r in rows if r.frontier), key=lambda r: (-r.value, r.seconds)):
        x, y = map(float, places[id(row)])
        boxes = [_box(row.method, x, y, dx, dy, scale) for dx, dy in OFFSETS]
        best = _least([cost(box) for box in boxes])
        taken.append(boxes[best])
        dx, dy = OFFSETS[best]
        ax.annotate(
            label(row.method, LONGEST_TITLE), (row.seconds, row.value), xytext=(dx, dy),
            textcoords="offset points", ha="left" if dx > 0 else "right", fontsize=SIZE,
        )  # fmt: skip


def _least(costs: Sequence[float]) -> int:
    """The first that is as good as the best: places that are level must not hang on last bits."""
    return next(n for n, cost in enumerate(costs) if cost <= min(costs) + LEVEL)


def _square(x: float, y: float, half: float) -> Box:
    return x - half, y - half, x + half, y + half


def _outside(box: Box, frame: Bbox) -> float:
    """By how many pixels it sticks out."""
    left, low, right, high = box
    wide = max(0.0, frame.x0 - left) + max(0.0, right - frame.x1)
    return float(wide + max(0.0, frame.y0 - low) + max(0.0, high - frame.y1))


def _box(text: str, x: float, y: float, dx: float, dy: float, scale: float) -> Box:
    """Where a name would stand."""
    width, x, y = WIDTH * SIZE * len(text) * scale, x + dx * scale, y + dy * scale
    left = x if dx > 0 else x - width
    return left, y, left + width, y + SIZE * scale


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)
