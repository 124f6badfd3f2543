"""Whether rows that moved between two runs of a suite moved beyond the noise of seeds and users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from recmerge_bench.evaluation.ranks import RankTable, same_targets
from recmerge_bench.identity import Place, Row
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.report.boards.elements import p_value
from recmerge_bench.report.boards.table import Line, tables
from recmerge_bench.report.boards.verdicts import comparison_of, verdicts_of
from recmerge_bench.results.comparisons import scores_of, units_of
from recmerge_bench.results.header import Protocol
from recmerge_bench.results.records import Records, Result
from recmerge_bench.statistics.comparison import Comparison, Question, compare
from recmerge_bench.statistics.scores import Units
from recmerge_bench.statistics.verdicts import ALPHA, NONE, Judgement

Ranks = Mapping[str, RankTable]
#: A row of a suite: its table, and what tells it from the others there.
Placed = tuple[Place, Row]
#: Seed of a row -> its result.
Seeds = dict[int | None, Result]


@dataclass(frozen=True)
class Movement:
    """A row's mean over the domains, after less before, tested on the users of both.

    Attributes:
        row: track, protocol and what else tells it from others.
        metric: which.
        comparison: after beside before over the seeds in common, judged with all that moved.
        family: how many moved: rows and metrics.
    """

    row: Placed
    metric: str
    comparison: Comparison
    family: int

    @property
    def judged(self) -> tuple[str, Judgement]:
        """What was drawn anew, and what is said: of the methods, else of these models."""
        n_seeds = len(self.comparison.seeds)
        if self.comparison.about_methods.verdict != NONE:
            drawn = f"users and {n_seeds} seeds" if n_seeds else "users alone"
            return drawn, self.comparison.about_methods
        why = f"; of the methods: {self.comparison.about_methods}" if n_seeds else ""
        return f"users alone{why}", self.comparison.about_models

    @property
    def beyond(self) -> bool | None:
        """Whether it moved beyond the noise; None where that cannot be told."""
        p = self.judged[1].p
        return None if p is None else p <= ALPHA

    def __str__(self) -> str:
        drawn, verdict = self.judged
        moved = f"{named(self.row)}: {self.metric}, mean over the domains, moved by "
        moved += f"{self.comparison.difference:+.6f}"
        if verdict.p is None or verdict.lower is None or verdict.upper is None:
            return f"{moved}: {verdict}: whether that is noise is unknown"
        where = "beyond" if self.beyond else "within"
        return (
            f"{moved} [{verdict.lower:+.6f}, {verdict.upper:+.6f}]: {where} the noise of {drawn} "
            f"({self.comparison.users} users; p {p_value(verdict.p)}, "
            f"Holm over {self.family} that moved)"
        )


def named(row: Placed) -> str:
    """A row as a person reads it."""
    return " ".join(part for parts in row for part in parts if part)


def movements(
    registry: Registry, before: Records, after: Records, old: Ranks, new: Ranks
) -> Iterator[Movement]:
    """Each row and metric whose numbers are not the same, where it can be tested.

    Rows are paired by user over the seeds in common: those that were ranked on the same test
    targets against the same candidates. All that moved are one family
    (`recmerge_bench.statistics.families`).

    Args:
        registry: for the metrics.
        before: records.
        after: records of the same suite.
        old: ranks of `before` by key.
        new: ranks of `after` by key.
    """
    was, now = _done(before), _done(after)
    family: dict[tuple[Placed, str], Question] = {}
    for row in [r for r in was if r in now]:
        names = after.header.metrics
        moved = [m for m in names if _means(was[row], m) != _means(now[row], m)]
        pairs = _paired(was[row], now[row], old, new) if moved else {}
        if not pairs:
            continue
        units = units_of(old[next(iter(pairs.values()))[0]])
        for metric in moved:
            family[row, metric] = _question(registry, metric, pairs, units, old, new)
    for (row, metric), comparison in compare(family).items():
        yield Movement(row, metric, comparison, len(family))


def _done(records: Records) -> dict[Placed, Seeds]:
    """Row -> seed -> its result, where it is done."""
    results_by_row: dict[Placed, Seeds] = {}
    for result in records.results:
        if result.done:
            who = result.identity
            results_by_row.setdefault((who.place, who.row), {})[who.seed] = result
    return results_by_row


def _means(results: Seeds, metric: str) -> dict[int | None, dict[str, float | None]]:
    return {
        seed: {d: values.get(metric) for d, values in r.metrics.items()}
        for seed, r in results.items()
    }


def _paired(was: Seeds, now: Seeds, old: Ranks, new: Ranks) -> dict[int | None, tuple[str, str]]:
    """Seed -> keys of both, where both were ranked alike."""
    return {
        seed: (was[seed].key, now[seed].key)
        for seed in was
        if seed in now
        and was[seed].candidates == now[seed].candidates
        and was[seed].mask_history == now[seed].mask_history
        and was[seed].key in old
        and now[seed].key in new
        and same_targets(old[was[seed].key], new[now[seed].key])
    }


def _question(
    registry: Registry, metric: str, pairs: Mapping[int | None, tuple[str, str]], units: Units,
    old: Ranks, new: Ranks,
) -> Question:  # fmt: skip
    first = scores_of(registry, metric, {s: k[1] for s, k in pairs.items()}, new.__getitem__)
    second = scores_of(registry, metric, {s: k[0] for s, k in pairs.items()}, old.__getitem__)
    return Question(first, second, units)


def notes(before: Records, after: Records) -> list[str]:
    """Changes of order and of verdicts, and protocols that are not the same: a line each."""
    lines = []
    old_cards, new_cards = before.header.protocols, after.header.protocols
    for name in old_cards:
        if name in new_cards and not _same_protocol(old_cards[name], new_cards[name]):
            lines.append(f"protocol {name} is not the same: its tables are not comparable")
    metric = after.header.primary
    was, now = tables(before), tables(after)
    for place in [p for p in was if p in now]:
        lines += _order(place, metric, was[place], now[place])
        lines += _verdicts(place, before, after)
    return lines


def _same_protocol(one: Protocol, other: Protocol) -> bool:
    """As far as both records say; older ones do not say whether items of the history are ranked."""
    if None in (one.mask_history, other.mask_history):
        unsaid = {"mask_history": None}
        return one.model_copy(update=unsaid) == other.model_copy(update=unsaid)
    return one == other


def _order(place: Place, metric: str, was: Sequence[Line], now: Sequence[Line]) -> list[str]:
    """Rows whose place changed among those that both have."""
    old, new = _placed(was, metric), _placed(now, metric)
    shared = [row for row in old if row in new]
    ranks = [
        {row: n + 1 for n, row in enumerate(sorted(shared, key=values.__getitem__, reverse=True))}
        for values in (old, new)
    ]
    return [
        f"{named((place, row))}: place {ranks[0][row]} of {len(shared)} by {metric}, now "
        f"{ranks[1][row]}"
        for row in shared
        if ranks[0][row] != ranks[1][row]
    ]


def _placed(lines: Sequence[Line], metric: str) -> dict[Row, float]:
    mean_by_row = {}
    for line in lines:
        value = line.mean(MEAN, metric)
        if value is not None:
            mean_by_row[line.identity.row] = value
    return mean_by_row


def _verdicts(place: Place, before: Records, after: Records) -> list[str]:
    old, new = (verdicts_of(comparison_of(r, place)) for r in (before, after))
    return [
        f"{named((place, row))}: the verdict was {verdict}, is {new[row]}"
        for row, verdict in old.items()
        if row in new and new[row] != verdict
    ]
