"""The data of the boards' page with their types: what ``data/<suite>.js`` holds.

Names of attributes are the keys that the page's scripts read, in this order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

#: What JSON can say.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Interval = tuple[float, float]
#: Metadata of attributes that are left out of the JSON where they are None.
OPTIONAL = {"left out": True}


class Value(NamedTuple):
    """A metric in a domain: mean over the seeds, its interval from two seeds on, each seed's."""

    mean: float
    interval: Interval | None
    seeds: list[float]


@dataclass(frozen=True)
class Difference:
    """A row beside its baseline.

    Attributes:
        family: number of the comparison within its table.
        mean: difference of the means over the domains.
        relative: as a share of the baseline.
        methods: interval behind the verdict about the methods.
        p: of that verdict.
        models: interval behind what is said of these models.
        alone: interval of this row without the others.
        bootstrap: the two-level one.
        dz: effect size.
        wins: users for whom the row is better, equal and worse.
    """

    family: int
    mean: float
    relative: float | None
    methods: Interval | None
    p: float | None
    models: Interval | None
    alone: Interval | None
    bootstrap: Interval | None
    dz: float | None
    wins: tuple[int, int, int]


@dataclass(frozen=True)
class Verdict:
    """What is said of a row beside its baseline; a baseline has no more than the first two.

    Attributes:
        verdict: about the methods.
        reason: why there is none.
        models: what is said of these trained models.
        models_beside: whether that says more than the verdict.
        difference: that it follows from.
    """

    verdict: str
    reason: str
    models: str | None = None
    models_beside: bool | None = None
    difference: Difference | None = None


@dataclass(frozen=True)
class Spent:
    """What a row cost, means over the seeds: seconds, and the largest peak in MiB."""

    train: float
    merge: float
    other: float
    peak: int


@dataclass(frozen=True)
class Gap:
    """Seeds of a row that are not done, why, and how to fix that."""

    status: str
    reason: str
    mend: str
    seeds: list[int]


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A row of a table.

    Attributes:
        id: short, for links to a view.
        backbone: as printed.
        method: name of it.
        label: method as printed.
        page: of the method, without its ending.
        recipe: as the suite calls it.
        band: that it stands in (`recmerge_bench.report.boards.ranking`).
        made: options, tuning and configuration in a line.
        seeds: done.
        wanted: how many seeds are asked for.
        values: metric -> domain -> value.
        shares: metric -> domain or average -> share of the expert's.
        verdict: and what follows, as in `Verdict`; absent where nothing is compared.
        cost: None where it is not known.
        groups: group of test targets -> primary metric, mean over domains and seeds.
        gaps: seeds that are not done.
    """

    id: str
    backbone: str
    method: str
    label: str
    page: str
    recipe: str
    band: str
    made: str
    seeds: list[int]
    wanted: int
    values: dict[str, dict[str, Value | None]]
    shares: dict[str, dict[str, float] | None]
    verdict: str | None = dataclasses.field(default=None, metadata=OPTIONAL)
    reason: str | None = dataclasses.field(default=None, metadata=OPTIONAL)
    models: str | None = dataclasses.field(default=None, metadata=OPTIONAL)
    models_beside: bool | None = dataclasses.field(default=None, metadata=OPTIONAL)
    difference: Difference | None = dataclasses.field(default=None, metadata=OPTIONAL)
    cost: Spent | None
    groups: dict[str, float]
    gaps: list[Gap]


@dataclass(frozen=True)
class Baseline:
    """The row that others are compared with, and its mean of the metric."""

    metric: str
    id: str
    label: str
    mean: float | None


class RankedRow(NamedTuple):
    """A row's mean rank over the domains with its interval."""

    id: str
    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class MeanRanks:
    """Mean ranks of a table.

    Attributes:
        metric: ranked by.
        rows: in the order of their ranks.
        groups: numbers of rows that cannot be told apart.
        said: of Friedman's test.
        difference: Nemenyi's critical one.
        left: rows that were left out.
    """

    metric: str
    rows: list[RankedRow]
    groups: list[list[int]]
    said: str | None
    difference: float | None
    left: int


@dataclass(frozen=True)
class Card:
    """A table of texts beside a board's, such as that of ties.

    Attributes:
        title: one line.
        answer: a sentence that the rows come to; may be empty.
        headers: of the columns.
        rows: a text for each column.
        note: what the columns are.
    """

    title: str
    answer: str
    headers: list[str]
    rows: list[list[str]]
    note: str


@dataclass(frozen=True)
class Table:
    """A track under a protocol.

    Attributes:
        track: of the suite.
        protocol: that it is ranked under.
        domains: scored.
        card: what it is measured under, line by line.
        reference: the expert's method, where it is done.
        compared: baselines.
        across: mean ranks.
        groups: name of a group of test targets -> what is in it.
        cards: order, ties, memorised steps, trainings and other splits, as far as there are any.
        rows: in the board's order.
        paper: a paper's numbers beside ours, where the track names one.
    """

    track: str
    protocol: str
    domains: list[str]
    card: list[tuple[str, str]]
    reference: str | None
    compared: list[Baseline]
    across: MeanRanks | None
    groups: dict[str, str]
    cards: list[Card]
    rows: list[TableRow]
    paper: Card | None = dataclasses.field(default=None, metadata=OPTIONAL)


class FigurePoint(NamedTuple):
    """A point of a line."""

    x: float
    y: float
    spread: float | None
    seeds: int


@dataclass(frozen=True)
class Series:
    """A line of a figure: its name, and the part of it that tells it from the others."""

    name: str
    short: str
    points: list[FigurePoint]


@dataclass(frozen=True)
class Panel:
    """Axes of a figure, named by what is on the y axis."""

    name: str
    series: list[Series]


@dataclass(frozen=True)
class Figure:
    """A figure that the suite declares.

    Attributes:
        name: of it.
        title: one line.
        x: what is on the x axis.
        y: what the values of all panels are; empty where the panels' names say it.
        ticks: names of x = 0, 1, ..., where x is no number.
        rows: short names of them, where they are rows.
        mark: how points are drawn (`recmerge_bench.report.figures.data.Mark`).
        spread: what the points' spread is.
        whole: whether x counts something.
        shown: lines that are drawn unless others are asked for.
        panels: axes.
    """

    name: str
    title: str
    x: str
    y: str
    ticks: list[str]
    rows: list[str]
    mark: str
    spread: str
    whole: bool
    shown: list[str]
    panels: list[Panel]


@dataclass(frozen=True)
class SuiteData:
    """All that the boards' page shows of a suite.

    Attributes:
        suite: its name.
        title: one line.
        label: what kind of board it is.
        about: that in a sentence.
        question: what its first table asks.
        answer: what its records say to that.
        detail: how the best row stands to the baseline.
        place: track and protocol of the table that answers; None where nothing is done.
        seeds: that the suite asks for.
        datasets: of its tracks.
        date: of its newest result, ISO; None where no costs are recorded.
        done: results that there are.
        total: results that the suite asks for.
        command: that ran it.
        metrics: the first is the primary one.
        tables: in the suite's order.
        figures: those that there is data for.
        superseded: the suite that has replaced it, where one has.
    """

    suite: str
    title: str
    label: str
    about: str
    question: str
    answer: str
    detail: str
    place: tuple[str, str] | None
    seeds: list[int]
    datasets: list[str]
    date: str | None
    done: int
    total: int
    command: str
    metrics: list[str]
    tables: list[Table]
    figures: list[Figure]
    superseded: str | None = dataclasses.field(default=None, metadata=OPTIONAL)


def as_json(value: object) -> Json:
    """A value of this module as JSON: dataclasses as objects, tuples as lists.

    Raises:
        TypeError: it holds what JSON cannot say.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_json(_fields(value))
    if isinstance(value, Mapping):
        return {str(key): as_json(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _fields(value: object) -> dict[str, object]:
    """The fields of a dataclass, but for optional ones that are None."""
    fields = {f: getattr(value, f.name) for f in dataclasses.fields(value)}  # type: ignore[arg-type]
    return {f.name: v for f, v in fields.items() if v is not None or f.metadata != OPTIONAL}
