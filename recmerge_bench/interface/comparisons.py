"""Two rows of a board compared, by the boards' own statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.errors import HandledError, near
from recmerge_bench.identity import Place, Row
from recmerge_bench.interface.plugins import Plugins
from recmerge_bench.interface.tables import Value, html_table
from recmerge_bench.names import MEAN
from recmerge_bench.planning.metrics import check_metrics
from recmerge_bench.report.boards.elements import p_value
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.results import compared
from recmerge_bench.results.comparisons import check_same_targets, scores_of, units_of
from recmerge_bench.results.gates import shut
from recmerge_bench.statistics.comparison import Question
from recmerge_bench.statistics.comparison import compare as compare_pairs
from recmerge_bench.statistics.verdicts import NONE, Judgement, Word

if TYPE_CHECKING:
    from recmerge_bench.interface.results import ResultsLike
    from recmerge_bench.results.loading import Results
    from recmerge_bench.results.records import Records

#: A method (``ties``), a row as boards print it (``ties (density=0.2)``), or parts of its identity.
RowLike = str | Mapping[str, str]


@dataclass(frozen=True, repr=False)
class Comparison:
    """One row minus another, in one metric.

    Attributes:
        first: the row, as boards print it.
        second: what it is compared with.
        backbone: of either; empty where neither has one.
        place: track and protocol.
        metric: ``NDCG@10``, ...
        domain: ``mean`` over the domains, or one of them.
        family: ``board``: the board's own comparison, judged with all rows of its table; ``pair``:
            this pair alone.
        first_mean: of the row, over the paired seeds.
        second_mean: of the other.
        difference: first minus second.
        relative: difference over the second's mean; None where that is 0.
        seeds: the paired ones; () where neither row depends on one.
        users: how many.
        methods: the verdict about the methods (resampling seeds and users).
        models: the verdict about these trained models (resampling users).
    """

    first: str
    second: str
    backbone: str
    place: Place
    metric: str
    domain: str
    family: str
    first_mean: float
    second_mean: float
    difference: float
    relative: float | None
    seeds: tuple[int, ...]
    users: int
    methods: Judgement
    models: Judgement

    @property
    def verdict(self) -> Word:
        """About the methods: better, worse, equivalent, undecided or no verdict."""
        return self.methods.verdict

    @property
    def p(self) -> float | None:
        """Two-sided, of no difference of the methods, adjusted by Holm for the family."""
        return self.methods.p

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the methods' difference, the one behind the verdict; None without a verdict."""
        lower, upper = self.methods.lower, self.methods.upper
        return None if lower is None or upper is None else (lower, upper)

    def words(self) -> str:
        """The comparison as a sentence."""
        on = f" on {self.backbone}" if self.backbone else ""
        share = "" if self.relative is None else f" ({100 * self.relative:+.1f} %)"
        where = "the mean over the domains" if self.domain == MEAN else self.domain
        return (
            f"{self.first}{on} beside {self.second}, {self.metric} of {where}: "
            f"{self.first_mean:.4f} against {self.second_mean:.4f}, "
            f"{self.difference:+.4f}{share}; methods: {_judged(self.methods)}; "
            f"these models: {_judged(self.models)}; {_counted(len(self.seeds), 'seed')}, "
            f"{_counted(self.users, 'user')}; "
            + ("the board's comparison" if self.family == "board" else "this pair alone")
        )

    def __repr__(self) -> str:
        return self.words()

    def _repr_html_(self) -> str:
        rows: list[list[Value]] = [
            [what, str(judgement), judgement.p, judgement.lower, judgement.upper]
            for what, judgement in (("methods", self.methods), ("these models", self.models))
        ]
        headers = ["about", "verdict", "p", "from", "to"]
        return html_table(f"{self.first} beside {self.second}", headers, rows, [self.words()])


def compare(
    results: ResultsLike,
    first: RowLike,
    second: RowLike,
    *,
    metric: str | None = None,
    domain: str = MEAN,
    track: str | None = None,
    protocol: str | None = None,
    backbone: str | None = None,
    plugins: Plugins = (),
) -> Comparison:
    """Whether one row is better than another, as boards say it.

    Where the two stand in a comparison of the board (a row and its table's baseline, the board's
    metric, the mean over the domains), the verdict is the board's, judged with all rows of the
    table; any other pair is judged by itself, by the same rule. Where the track's naive gate is not
    passed on a row's backbone, there is no verdict, and the reason says so.

    Args:
        results: a `Run`, what `load_results` gave, or a path of either.
        first: a method, a row as boards print it, or parts of its identity (``{"method": "ties",
            "variant": "density=0.2"}``).
        second: what it is compared with, likewise.
        metric: the board's first if None.
        domain: ``mean`` over the domains, or one of them.
        track: the only one that has results of both rows if None.
        protocol: the first of the track's if None.
        backbone: the only one that has both rows if None.
        plugins: files or modules to load beside the installed plugins, for their metrics.

    Raises:
        HandledError: no such row, or several (near names and all candidates are named); a row
            that is not done; ranks that are missing or of other test targets.
    """
    from recmerge_bench.interface.results import opened

    source = opened(results, plugins)
    records = source.records
    pair = _Pair.of(records, first, second, track, protocol, backbone)
    name = metric or records.header.primary
    if domain == MEAN and name == records.header.primary and (known := pair.recorded(records)):
        return pair.recorded_as(known, name)
    registry, ranks = source.registry, source.ranks.__getitem__
    check_metrics(registry, (name,))
    for line in (pair.first, pair.second):
        _refuse_undone(line)
    keys = [pair.keys(records, line) for line in (pair.first, pair.second)]
    _refuse_lost([k for some in keys for k in some.values()], source)
    check_same_targets([k for some in keys for k in some.values()], ranks, str(pair))
    table = ranks(next(iter(keys[0].values())))
    columns = _columns(domain, table.domains, table.domain)
    scores = [scores_of(registry, name, some, ranks).take(columns) for some in keys]
    question = Question(scores[0], scores[1], units_of(table).take(columns))
    comparison = compare_pairs({str(pair): question})[str(pair)]
    judgements = comparison.about_methods, comparison.about_models
    if gate := shut(records.header, records.results, pair.place, *pair.rows):
        judgements = Judgement(NONE, gate.reason), Judgement(NONE, gate.reason)
    return Comparison(
        pair.first.name[1], pair.second.name[1], pair.backbone, pair.place, name, domain, "pair",
        comparison.first, comparison.baseline, comparison.difference, comparison.relative,
        tuple(int(str(s)) for s in comparison.seeds), comparison.users, *judgements,
    )  # fmt: skip


def _columns(domain: str, names: Sequence[str], numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which instances are of a domain, bool [T]."""
    if domain == MEAN:
        return np.ones(len(numbers), bool)
    if domain not in names:
        raise HandledError(
            f"no domain '{domain}'{near(domain, names)}; there are {', '.join(names)}"
        )
    columns: NDArray[np.bool_] = numbers == list(names).index(domain)
    return columns


def _refuse_undone(line: Line) -> None:
    if not line.seeds:
        status, reason = next(iter(line.gaps))
        raise HandledError(f"'{line.name[1]}' has no results: {status}, {reason}")


def _refuse_lost(keys: Sequence[str], source: Results) -> None:
    for key in keys:
        if key not in source.ranks:
            raise HandledError(
                f"{source.path}: the ranks of {key[:12]} are missing; build the records again"
            )


@dataclass(frozen=True)
class _Pair:
    """Two rows of one table."""

    place: Place
    first: Line
    second: Line

    def __str__(self) -> str:
        return f"{self.first.name[1]} and {self.second.name[1]} ({', '.join(self.place)})"

    @property
    def rows(self) -> tuple[Row, Row]:
        """What tells both from the others of their table."""
        return self.first.identity.row, self.second.identity.row

    @property
    def backbone(self) -> str:
        """That of either row; empty where neither has one."""
        return self.first.identity.backbone or self.second.identity.backbone

    @classmethod
    def of(
        cls, records: Records, first: RowLike, second: RowLike, track: str | None,
        protocol: str | None, backbone: str | None,
    ) -> _Pair:  # fmt: skip
        """The two rows that are named.

        Raises:
            HandledError: there are none, or several.
        """
        known = tables(records)
        places = _places(records, known, track, protocol)
        for name in (first, second):
            if not any(_named(lines, name) for lines in places.values()):
                raise _unknown(name, places)
        pairs = [
            cls(place, one, other)
            for place, lines in places.items()
            for one in _named(lines, first)
            for other in _named(lines, second)
            if one is not other and _together(one, other, backbone)
        ]
        done = [pair for pair in pairs if pair.first.seeds and pair.second.seeds]
        return _only(done or pairs, first, second)

    def keys(self, records: Records, line: Line) -> dict[int | None, str]:
        """Seed -> key of the ranks of a row."""
        row: Row = line.identity.row
        return {
            r.identity.seed: r.key
            for r in records.results
            if r.done and r.identity.place == self.place and r.identity.row == row
        }

    def recorded(self, records: Records) -> compared.ComparedRow | None:
        """The board's own comparison of the two."""
        return compared.recorded(records.comparisons, self.place, *self.rows)

    def recorded_as(self, row: compared.ComparedRow, metric: str) -> Comparison:
        """A board's comparison as the API gives it."""
        return Comparison(
            self.first.name[1], self.second.name[1], self.backbone, self.place, metric, MEAN,
            "board", row.first, row.baseline, row.difference, row.relative, tuple(row.seeds),
            row.users, _judgement(row.about_methods), _judgement(row.about_models),
        )  # fmt: skip


Tables = dict[Place, list[Line]]


def _places(records: Records, known: Tables, track: str | None, protocol: str | None) -> Tables:
    """The tables that a call may mean: of the protocol asked for, else each track's first.

    Raises:
        HandledError: there is no such track or protocol.
    """
    tracks, protocols = records.header.tracks, sorted({place.protocol for place in known})
    _refuse_unknown("track", track, list(tracks))
    _refuse_unknown("protocol", protocol, protocols)
    return {
        place: lines
        for place, lines in known.items()
        if track in (None, place.track)
        and place.protocol == (protocol or tracks[place.track].protocols[0])
    }


def _refuse_unknown(what: str, name: str | None, known: Sequence[str]) -> None:
    if name is not None and name not in known:
        raise HandledError(f"no {what} '{name}'{near(name, known)}; {', '.join(known)}")


def _named(lines: Sequence[Line], name: RowLike) -> list[Line]:
    """Rows of a table that a name may mean; as printed before by method."""
    if isinstance(name, Mapping):
        return _with_parts(lines, name)
    printed = [line for line in lines if line.name[1] == name]
    return printed or [line for line in lines if line.identity.method == name]


def _with_parts(lines: Sequence[Line], parts: Mapping[str, str]) -> list[Line]:
    """Rows of a table that have these parts of an identity."""
    for key in parts:
        if key not in Row._fields:
            known = ", ".join(Row._fields)
            raise HandledError(
                f"no part of a row is called '{key}'{near(key, Row._fields)}: {known}"
            )
    return [
        line
        for line in lines
        if all(getattr(line.identity.row, key) == value for key, value in parts.items())
    ]


def _together(first: Line, second: Line, backbone: str | None) -> bool:
    """Whether two rows are beside each other on one backbone, the one that is asked for."""
    backbones = {first.identity.backbone, second.identity.backbone} - {""}
    return len(backbones) < 2 and (backbone is None or backbones in ({backbone}, set()))


def _only(pairs: Sequence[_Pair], first: RowLike, second: RowLike) -> _Pair:
    """The one pair.

    Raises:
        HandledError: there is none, or there are several; says how to choose.
    """
    if len(pairs) == 1:
        return pairs[0]
    both = f"{_shown(first)} and {_shown(second)}"
    if not pairs:
        raise HandledError(
            f"{both} stand in no table together, on one backbone; give track=, protocol= or "
            "backbone= of one that has both"
        )
    for what, values in (
        ("track", [pair.place.track for pair in pairs]),
        ("backbone", [pair.backbone for pair in pairs]),
        ("first", [pair.first.name[1] for pair in pairs]),
        ("second", [pair.second.name[1] for pair in pairs]),
    ):
        if len(distinct := list(dict.fromkeys(values))) > 1:
            raise HandledError(
                f"{both} name {len(pairs)} pairs of rows: give {what}= one of "
                f"{', '.join(map(repr, distinct))}"
            )
    raise HandledError(f"{both} name {len(pairs)} pairs of rows: name more parts of them")


def _unknown(name: RowLike, places: Tables) -> HandledError:
    lines = [line for some in places.values() for line in some]
    names = sorted({n for line in lines for n in (line.identity.method, line.name[1])})
    guess = near(name, names) if isinstance(name, str) else ""
    methods = ", ".join(sorted({line.identity.method for line in lines}))
    return HandledError(f"no row is {_shown(name)}{guess}; there are {methods}")


def _shown(name: RowLike) -> str:
    return repr(name) if isinstance(name, str) else str(dict(name))


def _judgement(recorded: compared.Judgement) -> Judgement:
    if recorded.verdict == "not recorded":
        return Judgement(NONE, recorded.verdict)
    return Judgement(
        recorded.verdict, recorded.reason, recorded.p, recorded.level, recorded.lower,
        recorded.upper,
    )  # fmt: skip


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def _judged(test: Judgement) -> str:
    if test.p is None or test.lower is None or test.upper is None:
        return str(test)
    return f"{test} [{test.lower:+.4f}, {test.upper:+.4f}], p {p_value(test.p)}"
