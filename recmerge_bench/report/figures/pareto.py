"""The data of plots of quality against cost: one for each table of a board, from its records.

Two costs stand side by side: all trainings and merges behind a row, which experts share, and the
merge alone, which tells merges of the same experts apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.cost_board import CostLine, cost_lines
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.csv_text import Number, csv_text
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Costs, Records
from recmerge_bench.statistics.exact import mean
from recmerge_bench.untrusted.paths import apart

WHOLE, MERGE = "training and merging, s", "merging alone, s"
#: Seconds are recorded to the millisecond; an axis of logarithms needs more than 0.
LEAST = 0.001
#: Costs that differ by less are one: clocks of a busy machine tell no more.
SAME_COST = 0.05
#: Standard errors of a difference that a dearer row has to be better by.
NOISE = 2.0
#: Fewer rows than this need no plot.
FEWEST = 3


@dataclass(frozen=True)
class Row:
    """A row of a board in one panel.

    Attributes:
        panel: which cost.
        backbone: "–" where it has none.
        method: as printed.
        seconds: mean over the seeds.
        value: the primary metric, mean over domains and seeds.
        frontier: no cheaper row of the panel is as good, and none is better by noise alone.
        seeds: how many.
    """

    panel: str
    backbone: str
    method: str
    seconds: float
    value: float
    frontier: bool
    seeds: int


@dataclass(frozen=True)
class Pareto:
    """Everything that a drawing needs.

    Attributes:
        name: of the figure within its suite; it begins with ``cost``.
        title: one line.
        metric: what is on the y axis.
        rows: by panel, in the board's order.
        levels: (backbone, method, value) of experts, which panel `MERGE` has as lines.
    """

    name: str
    title: str
    metric: str
    rows: tuple[Row, ...]
    levels: tuple[tuple[str, str, float], ...] = ()

    def csv(self) -> str:
        """The rows as comma-separated text."""
        columns = ("panel", "backbone", "method", "seconds", "value", "frontier", "seeds")
        return csv_text(
            columns,
            (
                [r.panel, r.backbone, r.method,
                 Number(r.seconds), Number(r.value), int(r.frontier), r.seeds]
                for r in self.rows
            ),
        )  # fmt: skip


def cost_figures(header: Header) -> dict[Place, str]:
    """Table -> name of its plot; no two are alike, in any case of letters."""
    places = [Place(t, p) for t in header.order for p in header.tracks[t].protocols]
    names = apart([("cost-pareto", *place) for place in places])
    return dict(zip(places, names, strict=True))


def paretos(records: Records, costs: Costs) -> list[Pareto]:
    """A plot for each table with enough rows; smoke boards, whose budgets mean nothing: none."""
    header = records.header
    if header.label == "smoke":
        return []
    spent, names = cost_lines(costs), cost_figures(header)
    plots = []
    for place, lines in tables(records).items():
        pairs = _with_costs(lines, spent.get(place, []), header.primary)
        if len(pairs) >= FEWEST:
            plots.append(_pareto(names[place], header, place, pairs))
    return plots


def _with_costs(
    lines: Sequence[Line], costs: Sequence[CostLine], metric: str
) -> list[tuple[Line, CostLine]]:
    """Lines that have both a value and a cost."""
    known = {cost.line.identity.row: cost for cost in costs}
    return [
        (line, known[line.identity.row])
        for line in lines
        if line.mean(MEAN, metric) is not None and line.identity.row in known
    ]


def _pareto(
    name: str, header: Header, place: Place, pairs: Sequence[tuple[Line, CostLine]]
) -> Pareto:
    """The plot of a table; rows that merge nothing are in the first panel alone."""
    metric = header.primary
    rows = _panel(WHOLE, pairs, metric, ("training", "merging"))
    levels: list[tuple[str, str, float]] = []
    if merged := [(line, cost) for line, cost in pairs if any(cost.seconds["merging"])]:
        rows += _panel(MERGE, merged, metric, ("merging",))
        levels = _levels(pairs, header.tracks[place.track].reference, metric)
    title = f"{place.track}, {place.protocol}: {metric} and what it cost"
    return Pareto(name, title, metric, tuple(rows), tuple(levels))


def _panel(
    panel: str, pairs: Sequence[tuple[Line, CostLine]], metric: str, kinds: Sequence[str]
) -> list[Row]:
    places = [
        (max(LEAST, sum(mean(cost.seconds[k]) for k in kinds)), line.mean(MEAN, metric) or 0.0)
        for line, cost in pairs
    ]
    best = frontier(places, [_error(line, metric) for line, _ in pairs], SAME_COST)
    return [
        Row(panel, *line.name, *place, number in best, cost.seeds)
        for number, ((line, cost), place) in enumerate(zip(pairs, places, strict=True))
    ]


def _error(line: Line, metric: str) -> float:
    """Standard error of the mean over the seeds; 0 below two."""
    spread = line.spread(MEAN, metric)
    return 0.0 if spread is None else spread / sqrt(len(line.values[MEAN, metric]))


def frontier(
    places: Sequence[tuple[float, float]], errors: Sequence[float] = (), same: float = 0.0
) -> set[int]:
    """Numbers of the (cost, value) pairs that no other pair beats or equals at less cost.

    Of equal pairs the first stands for all. A dearer pair has to be better by more than noise.

    Args:
        places: costs above 0, and values.
        errors: standard errors of the values; none: they are exact.
        same: share by which costs differ that count as one cost.
    """
    best: set[int] = set()
    highest, error = float("-inf"), 0.0
    known = errors or [0.0] * len(places)
    for number in _by_cost(places, same):
        value = places[number][1]
        if value > highest + NOISE * hypot(error, known[number]):
            highest, error = value, known[number]
            best.add(number)
    return best


def _by_cost(places: Sequence[tuple[float, float]], same: float) -> list[int]:
    """Numbers of the pairs, the cheapest first; of one cost the best first."""
    order = sorted(range(len(places)), key=lambda n: (places[n][0], -places[n][1], n))
    groups: list[list[int]] = []
    for number in order:
        if groups and places[number][0] <= places[groups[-1][0]][0] * (1 + same):
            groups[-1].append(number)
        else:
            groups.append([number])
    return [n for group in groups for n in sorted(group, key=lambda n: (-places[n][1], n))]


def _levels(
    pairs: Sequence[tuple[Line, CostLine]], reference: str | None, metric: str
) -> list[tuple[str, str, float]]:
    return [
        (*line.name, line.mean(MEAN, metric) or 0.0)
        for line, _ in pairs
        if line.identity.method == reference
    ]
