"""The cost board: what differs between two equal runs, a row each, means over the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import starmap
from typing import Protocol

from recmerge_bench.identity import Place, Row
from recmerge_bench.last_value import remembers_last
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.report.boards.table import Line, name_apart
from recmerge_bench.results.records import Cost, Costs
from recmerge_bench.statistics.exact import mean

NOTE = (
    "Means over the seeds; by seed they stand in the records. Seconds are those of one worker over "
    "all cells behind a row: shared trainings count for every row that needs them (*training*), a "
    "merge for its own row alone (*merging*). *Other*: reading data, cutting, drawing candidates, "
    "encoding texts. *Peak*: the largest of the workers' peaks. *Parameters*: numbers in the "
    "weight files that serve all domains, experts with one model a domain."
)
ENERGY = (
    "*Energy*: of the processors' packages (RAPL), a cell's share of the machine's work in its "
    "time."
)
NO_ENERGY = "Energy is not reported by the machine (–)."
SEARCHED = (
    "*Searching*: all that the trials of a search took beyond the row itself; one of a backbone "
    "counts for every row on it."
)
KINDS = {"train": "training", "merge": "merging", "rank": "ranking", "search": "searching"}
_WORK = (*KINDS.values(), "other")


@dataclass
class CostLine:
    """A row of a cost board, its seeds together.

    Attributes:
        line: its name.
        seeds: how many; 0 for a method without seed.
        seconds: training, merging, ranking, searching, other -> seconds of each seed.
        memory: peak bytes of each seed.
        parameters: of each seed that they are known of.
        joules: of each seed that they are known of.
    """

    line: Line
    seeds: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)
    parameters: list[int] = field(default_factory=list)
    joules: list[float] = field(default_factory=list)

    def add(self, entry: Cost) -> None:
        """One seed's cost."""
        self.seeds += entry.identity.seed is not None
        for kind, seconds in by_kind(entry.seconds).items():
            self.seconds.setdefault(kind, []).append(seconds)
        self.memory.append(entry.peak_memory)
        if entry.parameters is not None:
            self.parameters.append(entry.parameters)
        if entry.joules is not None:
            self.joules.append(entry.joules)


def by_kind(cells: Mapping[str, float]) -> dict[str, float]:
    """Seconds by cell (``kind:label``) as those of training, merging, ranking, ... work."""
    seconds_by_kind = dict.fromkeys(_WORK, 0.0)
    for name, seconds in cells.items():
        seconds_by_kind[KINDS.get(name.partition(":")[0], "other")] += seconds
    return seconds_by_kind


@remembers_last
def cost_lines(costs: Costs) -> dict[Place, list[CostLine]]:
    """Table -> rows, in the order of the file."""
    lines_by_place: dict[Place, dict[Row, CostLine]] = {}
    for entry in costs.results:
        rows, row = lines_by_place.setdefault(entry.identity.place, {}), entry.identity.row
        if row not in rows:
            rows[row] = CostLine(Line(entry.identity))
        rows[row].add(entry)
    for rows in lines_by_place.values():
        name_apart(row.line for row in rows.values())
    return {place: list(rows.values()) for place, rows in lines_by_place.items()}


class Plot(Protocol):
    """A plot of quality against cost (`recmerge_bench.report.figures.pareto.Pareto`)."""

    @property
    def name(self) -> str:
        """Its name within the suite."""


def render_cost(costs: Costs, plots: Sequence[Plot] = ()) -> str:
    """The cost board ``<suite>-cost.md``, with links to its plots of quality against cost."""
    drawn = {plot.name: f"figures/{costs.suite}-{plot.name}.svg" for plot in plots}
    machines = {(cost.device, cost.cores, cost.python) for cost in costs.results}
    where = "; ".join(sorted(starmap(_machine, machines))) or "none, nothing is done"
    measured = any(e.joules is not None for e in costs.results)
    cells: set[str] = set().union(*(e.seconds for e in costs.results))
    searched = any(name.startswith("search:") for name in cells)
    kinds = [k for k in _WORK if searched or k != KINDS["search"]]
    note = " ".join([NOTE, *([SEARCHED] if searched else []), ENERGY if measured else NO_ENERGY])
    parts = [f"# {costs.suite}: cost", f"{note}\n\nHardware: {where}."]
    for (track, protocol), lines in cost_lines(costs).items():
        parts += [f"## {plain(track)}, {plain(protocol)}", _table(lines, kinds)]
        if file := drawn.get(f"cost-pareto-{track}-{protocol}"):
            parts.append(f"![Quality against cost: {plain(track)}, {plain(protocol)}]({file})")
    return "\n\n".join(parts) + "\n"


def _machine(device: str | None, cores: int | None, python: str | None) -> str:
    return f"{device or '?'}, {'?' if cores is None else cores} cores, Python {python or '?'}"


def _table(lines: Sequence[CostLine], kinds: Sequence[str]) -> str:
    rows = [
        [
            *map(plain, row.line.name),
            *(_seconds(mean(row.seconds[kind])) for kind in kinds),
            f"{max(row.memory) / 2**20:.0f}",
            f"{round(mean(row.parameters)):,}" if row.parameters else "–",
            f"{mean(row.joules):.0f}" if row.joules else "–",
            str(row.seeds or "–"),
        ]
        for row in lines
    ]
    headers = [
        "backbone", "method", *(f"{kind} s" for kind in kinds), "peak MiB", "parameters",
        "energy J", "seeds",
    ]  # fmt: skip
    return table(headers, rows)


def _seconds(value: float) -> str:
    if value == 0:
        return "–"  # no such work
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
