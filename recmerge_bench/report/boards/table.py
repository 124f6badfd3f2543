"""Records, arranged: rows of one table with a mean and a spread for each domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from recmerge_bench.identity import Identity, Place, Row
from recmerge_bench.last_value import remembers_last
from recmerge_bench.names import MEAN
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.report.boards.submitted import mark_of
from recmerge_bench.results.places import board_places
from recmerge_bench.results.records import Origin, Records, Result
from recmerge_bench.statistics.exact import mean, stdev


@dataclass
class Line:
    """A method on a board, its seeds together.

    Attributes:
        identity: that of its first seed.
        seeds: those that are done; [None] for a method without seed.
        values: (domain, metric) -> value of each seed; metrics of lists too.
        gaps: (status, reason) -> seeds that are not done.
        lists_missing: (metric of lists, reason) -> done seeds that have no value of it.
        instances: number of test targets by domain.
        candidates: hash of the candidate sets, or ``full``.
        masked: whether items of the history are taken out of the ranking.
        groups: group of test targets -> primary metric of each seed, mean over the domains.
        split: key of the cut that the groups are of.
        several: the method stands in this table under other recipes too.
        profiles: what else is named of the row stands there under another profile too.
        configuration: what the row was made with; None where it is not recorded.
        configuration_sha256: of its canonical JSON.
        tier: data tier of its merge; empty where nothing is merged.
        submitted: where the seeds came from that the board's own run did not make.
    """

    identity: Identity
    domains: list[str] = field(default_factory=list)
    seeds: list[int | None] = field(default_factory=list)
    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    gaps: dict[tuple[str, str], list[int | None]] = field(default_factory=dict)
    lists_missing: dict[tuple[str, str], list[int | None]] = field(default_factory=dict)
    instances: dict[str, int] = field(default_factory=dict)
    candidates: str = ""
    masked: bool = False
    groups: dict[str, list[float]] = field(default_factory=dict)
    split: str = ""
    several: bool = False
    profiles: bool = False
    submitted: list[Origin] = field(default_factory=list)
    configuration: Configuration | None = None
    configuration_sha256: str = ""
    tier: str = ""
    _means: dict[tuple[str, str], tuple[int, float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def kind(self) -> str:
        """What the row is of (`recmerge_bench.planning.configuration.Method`); empty: unknown."""
        return "" if self.configuration is None else self.configuration.method.kind

    @property
    def name(self) -> tuple[str, str]:
        """Backbone and method as printed; where all are the fixed recipe, it is not named."""
        recipe, profile = self.identity.recipe, self.identity.profile
        notes = [
            self.identity.variant,
            f"{recipe} recipe" if self.several or recipe != "fixed" else "",
            f"profile {profile or 'none'}" if self.profiles else "",
        ]
        shown = "; ".join(note for note in notes if note)
        method = self.identity.method + (f" ({shown})" if shown else "")
        method += mark_of(self.submitted)
        return self.identity.backbone or "–", method

    @property
    def replicates(self) -> list[int | None]:
        """All its seeds, done or not; [None] for a method without seed."""
        return [*self.seeds, *(s for seeds in self.gaps.values() for s in seeds)]

    def mean(self, domain: str, metric: str) -> float | None:
        """Mean over the seeds, None where nothing is done."""
        values = self.values.get((domain, metric))
        if not values:
            return None
        count, value = self._means.get((domain, metric), (0, 0.0))
        if count != len(values):  # not asked since the last seed was added
            value = mean(values)
            self._means[domain, metric] = len(values), value
        return value

    def spread(self, domain: str, metric: str) -> float | None:
        """Sample standard deviation over the seeds, None below two."""
        values = self.values.get((domain, metric), [])
        return stdev(values) if len(values) > 1 else None


@remembers_last
def tables(records: Records) -> dict[Place, list[Line]]:
    """Table -> lines, in the suite's order; of tables that boards print by themselves.

    Lines belong to all who ask: they are read, not changed.
    """
    lines_by_place: dict[Place, dict[Row, Line]] = {}
    for result in records.results:
        rows, row = lines_by_place.setdefault(result.identity.place, {}), result.identity.row
        line = rows.get(row)
        if line is None:
            line = rows[row] = Line(result.identity)
        _described(line, result)
        if result.done:
            _counted(line, result)
        else:
            seeds = line.gaps.setdefault((result.status, result.reason), [])
            seeds.append(result.identity.seed)
    for lines in lines_by_place.values():
        name_apart(lines.values())
    return {
        place: list(lines_by_place[place].values())
        for place in board_places(records.header)
        if place in lines_by_place
    }


def _described(line: Line, result: Result) -> None:
    """What a result says of its row, done or not."""
    line.domains = result.domains
    if line.configuration is None and result.configuration is not None:
        line.configuration = result.configuration
        line.configuration_sha256 = result.configuration_sha256
    line.tier = line.tier or (result.merge.tier if result.merge else "")


def _counted(line: Line, result: Result) -> None:
    """A seed that is done, with its numbers."""
    line.seeds.append(result.identity.seed)
    line.instances, line.split = result.instances, result.split
    line.candidates, line.masked = result.candidates, result.mask_history
    line.submitted += [result.submitted] if result.submitted else []
    for group, means in result.groups.items():
        line.groups.setdefault(group, []).append(means[MEAN])
    for why in result.lists_missing.items():
        line.lists_missing.setdefault(why, []).append(result.identity.seed)
    for by_domain in (result.metrics, result.list_metrics):
        for domain, metrics in by_domain.items():
            for metric, value in metrics.items():
                line.values.setdefault((domain, metric), []).append(value)


def names_of(lines: Sequence[Line]) -> dict[Row, tuple[str, str]]:
    """Row -> backbone and method as printed."""
    return {line.identity.row: line.name for line in lines}


def name_apart(lines: Iterable[Line]) -> None:
    """Rows of one table learn what their names have to say to tell them from one another."""
    recipes: dict[str, set[str]] = {}
    profiles: dict[Row, set[str]] = {}
    rows = list(lines)
    for line in rows:
        recipes.setdefault(line.identity.method, set()).add(line.identity.recipe)
        profiles.setdefault(_but_profile(line), set()).add(line.identity.profile)
    for line in rows:
        line.several = len(recipes[line.identity.method]) > 1
        line.profiles = len(profiles[_but_profile(line)]) > 1


def _but_profile(line: Line) -> Row:
    return line.identity.row._replace(profile="")


def best_two(lines: Sequence[Line], domain: str, metric: str) -> tuple[float | None, float | None]:
    """The highest and the second highest mean, as printed (four decimals)."""
    values = {round(v, 4) for line in lines if (v := line.mean(domain, metric)) is not None}
    first, second, *_ = [*sorted(values, reverse=True), None, None]
    return first, second
