"""A paper's numbers beside ours, from the header and the rows of a table alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import mean, stdev

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.planning.references import SEVERAL, Number, numbers
from recmerge_bench.report.boards.shares import (
    MEAN_OF_RATIOS,
    RATIO_OF_MEANS,
    by_seed,
    experts,
    shares,
)
from recmerge_bench.report.boards.table import Line
from recmerge_bench.results.header import Header, Paper, PaperMethod
from recmerge_bench.statistics.summary import mean_interval


@dataclass(frozen=True)
class Beside:
    """A number of a paper and ours.

    Attributes:
        method: as the paper calls it.
        backbones: the paper's; the number is their mean.
        line: our row; None where the table has none.
        domain: of the track, ``average``, ``sum``, or ``mean of ratios``.
        metric: such as ``NDCG@10``.
        share: both are per cent of the own-domain expert's, not the metric itself.
        printed: the number for each of the backbones; per cent is 100 times the share.
        std: as printed, None where it is not, or where several backbones are averaged.
        stars: as printed.
        ours: value of each seed, by seed.
        role: ``proposed``: the paper's own; ``baseline``; ``reference``: what shares divide by.
    """

    method: str
    backbones: tuple[str, ...]
    line: Line | None
    domain: str
    metric: str
    share: bool
    printed: tuple[float, ...]
    std: float | None
    stars: int
    ours: Mapping[int | None, float] = field(default_factory=dict)
    role: str = "baseline"

    @property
    def paper(self) -> float:
        """The paper's number, or the mean of several backbones'."""
        return mean(self.printed)

    @property
    def range(self) -> tuple[float, float] | None:
        """Lowest and highest of several backbones, None of one."""
        return (min(self.printed), max(self.printed)) if len(self.printed) > 1 else None

    @property
    def mean(self) -> float | None:
        """Ours over the seeds, None where nothing is done."""
        return mean(self.ours.values()) if self.ours else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over the seeds, None below two."""
        return stdev(self.ours.values()) if len(self.ours) > 1 else None

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's."""
        return None if self.mean is None else self.mean - self.paper

    @property
    def relative(self) -> float | None:
        """Difference over the paper's."""
        return None if self.difference is None or not self.paper else self.difference / self.paper

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's interval of our mean over seeds, the users as given; None below two."""
        return mean_interval(list(self.ours.values()))

    @property
    def inside(self) -> bool | None:
        """Whether the paper's number lies in our interval."""
        ends = self.interval
        return None if ends is None else ends[0] <= self.paper <= ends[1]


def beside(header: Header, place: Place, lines: Sequence[Line]) -> list[Beside]:
    """All numbers of the paper that a table is set beside: by backbone, in the paper's order."""
    track = header.tracks[place.track]
    paper, profile = track.paper, track.profile or ""
    if paper is None or paper.protocol != place.protocol:
        return []
    own = experts(lines, track.reference)
    entries = []
    for rows in _numbers(paper).values():
        ours = paper.methods[rows[0].method]
        for backbones, some in _by_backbone(paper, rows):
            fitting = [line for line in lines if _fits(line, ours, profile, backbones[0])]
            entries += [_entry(paper, backbones[1:], some, line, own) for line in fitting]
            if not fitting:
                entries.append(_entry(paper, backbones[1:], some, None, own))
    entries += _mean_of_ratios(entries)
    order = list(dict.fromkeys(e.backbones for e in entries))
    return sorted(entries, key=lambda e: order.index(e.backbones))


def _numbers(paper: Paper) -> dict[tuple[str, ...], list[Number]]:
    """(method, domain, metric, unit) -> the paper's rows, one for each backbone."""
    by_number: dict[tuple[str, ...], list[Number]] = defaultdict(list)
    for row in numbers(paper.numbers):
        by_number[row.method, row.domain, row.metric, row.unit].append(row)
    return by_number


def _by_backbone(
    paper: Paper, rows: Sequence[Number]
) -> Iterator[tuple[tuple[str, ...], list[Number]]]:
    """(ours, the paper's...), rows: for each of our backbones; ("",), rows where there are none."""
    if not paper.backbones:
        yield ("",), list(rows)
    for ours, theirs in paper.backbones.items():
        some = [r for r in rows if r.backbone in theirs]
        if some:
            yield (ours, *theirs), some


def _fits(line: Line, ours: PaperMethod, profile: str, backbone: str) -> bool:
    identity = line.identity
    return (
        identity.method == ours.method
        and ours.variant in (None, identity.variant)
        and (not ours.recipes or identity.recipe in ours.recipes)
        and identity.profile == profile
        and backbone in ("", identity.backbone)
        and ours.backbone in (None, identity.backbone)
    )


def _entry(
    paper: Paper, backbones: tuple[str, ...], rows: Sequence[Number],
    line: Line | None, own: Mapping[str, Line],
) -> Beside:  # fmt: skip
    first, several = rows[0], len(rows) > 1
    share = first.unit == "share"
    return Beside(
        first.method, backbones, line, first.domain, first.metric, share,
        tuple(float(r.value) for r in rows),
        float(first.std) if first.std and not several else None,
        0 if several else int(first.stars),
        _ours(line, own, first.domain, first.metric, share) if line else {},
        paper.methods[first.method].role,
    )  # fmt: skip


def _ours(
    line: Line, own: Mapping[str, Line], domain: str, metric: str, share: bool
) -> dict[int | None, float]:
    if share:
        place = RATIO_OF_MEANS if domain == "average" else domain
        ratios = shares(line, own.get(line.identity.backbone), metric).get(place, {})
        return {s: 100 * v for s, v in ratios.items()}
    factor = len(line.domains) if domain == "sum" else 1
    values = by_seed(line, MEAN if domain in SEVERAL else domain, metric)
    return {s: factor * v for s, v in values.items()}


def _mean_of_ratios(entries: Sequence[Beside]) -> list[Beside]:
    """Where the paper's average is over other domains: the mean of the track's own shares."""
    rows: dict[tuple[object, ...], list[Beside]] = defaultdict(list)
    for one in entries:
        if one.share:
            rows[one.method, one.backbones, id(one.line), one.metric].append(one)
    made = []
    for some in rows.values():
        if len(some) > 1 and not any(one.domain in SEVERAL for one in some):
            made.append(_averaged(some))
    return made


def _averaged(shares: Sequence[Beside]) -> Beside:
    """The mean of one row's shares of several domains."""
    first = shares[0]
    seeds = [s for s in first.ours if all(s in one.ours for one in shares)]
    ours = {s: mean(one.ours[s] for one in shares) for s in seeds}
    printed = tuple(mean(v) for v in zip(*(one.printed for one in shares), strict=True))
    return Beside(
        first.method, first.backbones, first.line, MEAN_OF_RATIOS, first.metric, True,
        printed, None, 0, ours, first.role,
    )  # fmt: skip


def order_alike(entries: Sequence[Beside]) -> tuple[int, int]:
    """Of the pairs of methods that the paper orders: how many ours order alike, and how many.

    Pairs are of one backbone, domain and metric, without the expert; of a method with several rows
    of ours the first one that is done counts. Equal numbers of the paper make no pair.
    """
    tables: dict[tuple[object, ...], dict[str, Beside]] = defaultdict(dict)
    for one in entries:
        if one.ours and one.role != "reference":
            place = (one.backbones, one.domain, one.metric, one.share)
            tables[place].setdefault(one.method, one)
    alike = pairs = 0
    for some in tables.values():
        for first, second in combinations(some.values(), 2):
            theirs, ours = first.paper - second.paper, (first.mean or 0.0) - (second.mean or 0.0)
            pairs += theirs != 0
            alike += theirs * ours > 0
    return alike, pairs
