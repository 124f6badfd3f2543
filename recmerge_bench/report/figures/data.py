"""What a figure is drawn from: one long table of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import mean, stdev
from typing import Literal

from recmerge_bench.report.csv_text import Field, Number, csv_text


@dataclass(frozen=True)
class Point:
    """A point of a line.

    Attributes:
        panel: which axes it belongs to, named by what their values are unless the figure says that.
        series: which line.
        x: place.
        y: mean over the seeds.
        spread: sample standard deviation over the seeds, None below two.
        seeds: how many.
    """

    panel: str
    series: str
    x: float
    y: float
    spread: float | None
    seeds: int


def over_seeds(panel: str, series: str, x: float, values: Sequence[float]) -> Point:
    """The point of a value for each seed."""
    spread = stdev(values) if len(values) > 1 else None
    return Point(panel, series, float(x), mean(values), spread, len(values))


#: How points are drawn: joined; a mark each, names as rows; a bar each from zero, names as rows.
Mark = Literal["line", "dot", "bar"]
#: Lines that a panel shows at once; the others are in the data, and on the site to be switched on.
MOST = 8
DEVIATION = "± one sample standard deviation over seeds"


@dataclass(frozen=True)
class FigureData:
    """Everything that a drawing needs.

    Attributes:
        name: of the figure within its suite.
        title: one line.
        x: what is on the x axis.
        points: in the order of panels, series and x.
        ticks: names of x = 0, 1, ..., where x is no number.
        mark: how points are drawn.
        spread: what the points' spread is.
        y: what the values of all panels are; empty where the panels' names say it.
    """

    name: str
    title: str
    x: str
    points: tuple[Point, ...]
    ticks: tuple[str, ...] = ()
    mark: Mark = "line"
    spread: str = DEVIATION
    y: str = ""

    @property
    def series(self) -> list[str]:
        """Names of all lines, in order."""
        return list(dict.fromkeys(p.series for p in self.points))

    @property
    def shown(self) -> list[str]:
        """Names of the lines that are drawn unless others are asked for.

        All, or those with the highest mean in the last panel.
        """
        if len(self.series) <= MOST:
            return self.series
        last = self.points[-1].panel
        values = {s: [p.y for p in self.points if (p.panel, p.series) == (last, s)]
                  for s in self.series}  # fmt: skip
        known = [s for s in self.series if values[s]]
        best = sorted(known, key=lambda s: -mean(values[s]))[:MOST]
        return [s for s in self.series if s in best]

    @property
    def whole(self) -> bool:
        """Whether x counts something."""
        return not self.ticks and all(float(p.x).is_integer() for p in self.points)

    def csv(self) -> str:
        """The points as comma-separated text."""
        named = ("name",) if self.ticks else ()
        columns = ("panel", "series", *named, "x", "y", "spread", "seeds")
        return csv_text(columns, (self._fields(p) for p in self.points))

    def _fields(self, point: Point) -> list[Field]:
        names = [point.panel, point.series, *([self.ticks[int(point.x)]] if self.ticks else [])]
        spread = nan if point.spread is None else point.spread
        return [*names, *map(Number, (point.x, point.y, spread)), point.seeds]
