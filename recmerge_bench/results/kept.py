"""A board of several runs: rows that are on it stay where a run makes it anew without them.

Trainings of a large suite are spread over weeks and machines, and a store seldom lives as long as
its board. What is kept of a row is what its committed files say: ranks, configuration, costs.
Metrics, groups and verdicts are made of the ranks again, with those of the run's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.identity import Identity, Place
from recmerge_bench.registry import Registry
from recmerge_bench.results.beside import Curve
from recmerge_bench.results.groups import Group, by_group
from recmerge_bench.results.header import Header
from recmerge_bench.results.metrics import domain_means
from recmerge_bench.results.rank_tables import free_key, same_targets
from recmerge_bench.results.records import Cost, Result
from recmerge_bench.results.suite_files import SuiteFiles

T = TypeVar("T")
Groups = Mapping[str, Sequence[Group]]

#: What rows of one table have in common besides their targets.
COMMON = ("domains", "data", "candidates", "mask_history", "shuffle_seed")
#: `Result.candidates` of rankings of all items, which alone have metrics of lists.
ALL_ITEMS = "full"
REMEDY = "build without --keep, and run the board's rows again"


def with_kept(
    registry: Registry, made: SuiteFiles, board: SuiteFiles, note: Callable[[str], None]
) -> SuiteFiles:
    """What a run made, with the rows of a board that it lacks.

    A row stays where it is done on the board and not in the run, and is still a row of the suite:
    its configuration is the one that the suite asks for now. Submitted rows stay in any case.

    Args:
        registry: for the metrics.
        made: of the run, without what rows say together.
        board: as committed.
        note: is handed a line for each row that is left out, and why.

    Raises:
        HandledError: a row that would stay is of other data, candidates or targets than the run's.
    """
    rows = _rows(made, board, note)
    if not rows:
        return made
    _check_tables(made, board, rows)
    keys, ranks = _keys(made, board, rows)
    splits = _same_splits(made, rows)
    groups = {**made.groups, **_their_groups(board, rows, splits)}
    header = made.records.header
    stay = {
        r.identity: _entry(registry, r, header, board, splits, groups).changed(key=keys[r.identity])
        for r in rows
    }
    results = [stay.pop(r.identity, r) for r in made.records.results] + list(stay.values())
    return SuiteFiles(
        made.records.changed(
            results=results, header=_header(made, board, results),
            **_trainings(made, board, results),
        ),
        made.costs.changed(results=_costs(made, board, results)),
        ranks,
        [*made.curves, *_curves(made, board, rows)],
        groups,
    )  # fmt: skip


def _keys(
    made: SuiteFiles, board: SuiteFiles, rows: Sequence[Result]
) -> tuple[dict[Identity, str], dict[str, RankTable]]:
    """The key of each row that stays, and the ranks of all by key.

    A cell that was computed on both machines has one key and may have other ranks on each: then
    the row that stays has a key of its own.
    """
    keys, ranks = {}, dict(made.ranks)
    for row in rows:
        table = board.ranks[row.key]
        keys[row.identity] = key = free_key(row.key, table, ranks, "kept")
        ranks[key] = table
    return keys, ranks


def _rows(made: SuiteFiles, board: SuiteFiles, note: Callable[[str], None]) -> list[Result]:
    """The board's rows that stay."""
    ours = {r.identity: r for r in made.records.results}
    kept = []
    for row in (r for r in board.records.results if r.done):
        own = ours.get(row.identity)
        if own is not None and own.done:
            continue
        if reason := _reason(row, own):
            note(f"{row.identity}: left out: {reason}")
        else:
            kept.append(row)
    return kept


def _reason(row: Result, own: Result | None) -> str:
    """Why a row of the board does not stay in the place of the suite's, which was not run."""
    if own is None:
        return "" if row.submitted else "it is no row of the suite any more"
    if not row.configuration_sha256:
        return "its configuration is not recorded"
    if row.configuration_sha256 != own.configuration_sha256:
        return "the suite asks for another configuration now"
    return ""


def _check_tables(made: SuiteFiles, board: SuiteFiles, rows: Sequence[Result]) -> None:
    """Rows that come to stand in one table are of the same data, candidates and targets."""
    first: dict[Place, tuple[Result, RankTable]] = {}
    for result in (r for r in made.records.results if r.done):
        first.setdefault(result.identity.place, (result, made.ranks[result.key]))
    for row in rows:
        other, ranks = first.setdefault(row.identity.place, (row, board.ranks[row.key]))
        differ = [fact for fact in COMMON if getattr(row, fact) != getattr(other, fact)]
        if not same_targets(ranks, board.ranks[row.key]):
            differ.append("test targets")
        if differ:
            raise HandledError(
                f"{row.identity}: its {differ[0]} {'are' if differ[0][-1] == 's' else 'is'} not "
                f"the same as in {other.identity}; {REMEDY}"
            )


def _same_splits(made: SuiteFiles, rows: Sequence[Result]) -> dict[str, str]:
    """Key of a kept row's split -> key of the run's split of the same table."""
    own = {r.identity.place: r.split for r in made.records.results if r.done}
    places = ((r.split, own.get(r.identity.place)) for r in rows)
    return {theirs: ours for theirs, ours in places if ours is not None}


def _their_groups(
    board: SuiteFiles, rows: Sequence[Result], splits: Mapping[str, str]
) -> dict[str, list[Group]]:
    """Groups of the splits that only kept rows have."""
    wanted = {r.split for r in rows} - set(splits)
    return {key: list(some) for key, some in board.groups.items() if key in wanted}


def _entry(
    registry: Registry, row: Result, header: Header, board: SuiteFiles,
    splits: Mapping[str, str], groups: Groups,
) -> Result:  # fmt: skip
    """A kept row with the metrics and groups that the suite reports now."""
    ranks, split = board.ranks[row.key], splits.get(row.split, row.split)
    metrics = domain_means(registry, header.metrics, ranks, row.domains)
    entry = row.without("groups").changed(metrics=metrics, split=split)
    if split in groups:
        some = by_group(registry, header.primary, ranks, groups[split])
        entry = entry.changed(groups=some)
    return _with_lists(entry, header)


def _with_lists(row: Result, header: Header) -> Result:
    """Values of list metrics are of the row's own run: those that the suite names now stay."""
    names = header.names_of_lists if row.candidates == ALL_ITEMS else []
    values = {d: {n: v for n, v in of.items() if n in names} for d, of in row.list_metrics.items()}
    there = {n for of in values.values() for n in of}
    missing = {n: row.lists_missing.get(n, "its run did not have it") for n in names
               if n not in there}  # fmt: skip
    made = {"list_metrics": values if there else {}, "lists_missing": missing}
    return row.without(*made).changed(**{name: value for name, value in made.items() if value})


def _header(made: SuiteFiles, board: SuiteFiles, results: Sequence[Result]) -> Header:
    """The run's header, with what it cannot know of kept rows: audits, sizes, text encoders."""
    own, theirs = made.records.header, board.records.header
    splits = {r.split for r in results if r.done}
    encoders = {name for r in results for name in r.encoders}
    return own.changed(
        audits=_joined(own.audits, theirs.audits, splits),
        datasets=_joined(own.datasets, theirs.datasets, set(theirs.datasets)),
        pretraining=_joined(own.pretraining, theirs.pretraining, encoders),
        group_facts=_joined(own.group_facts, theirs.group_facts, splits),
    )


def _joined(own: Mapping[str, T], theirs: Mapping[str, T], wanted: set[str]) -> dict[str, T]:
    """Our entries, and those of theirs that are wanted, by key."""
    return dict(sorted({**{k: v for k, v in theirs.items() if k in wanted}, **own}.items()))


def _trainings(made: SuiteFiles, board: SuiteFiles, results: Sequence[Result]) -> dict[str, Any]:
    used = {key for r in results for key in r.trained}
    joined = _joined(made.records.trainings, board.records.trainings, used)
    return {"trainings": joined} if joined else {}


def _costs(made: SuiteFiles, board: SuiteFiles, results: Sequence[Result]) -> list[Cost]:
    """Costs of all results that are done, in their order."""
    known = {c.identity: c for c in (*board.costs.results, *made.costs.results)}
    return [known[r.identity].changed(key=r.key) for r in results if r.done and r.identity in known]


def _curves(made: SuiteFiles, board: SuiteFiles, rows: Sequence[Result]) -> list[Curve]:
    there = {c.identity for c in made.curves}
    kept = {r.identity for r in rows}
    return [c for c in board.curves if c.identity in kept - there]
