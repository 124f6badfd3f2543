"""Scores that other software gave -> ranks of the test targets, or a clear refusal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.evaluation.ranking import Ranking, past_events
from recmerge_bench.submissions.run_files import ScoredRun

#: What becomes of candidates that a list leaves out: ``refuse`` where a metric depends on it;
#: ``equal``: all of them have one score, below those listed, and ties count half as always.
Unlisted = Literal["refuse", "equal"]
_SHOWN = 5


@dataclass(frozen=True)
class RunRanks:
    """What `rank_run` gives.

    Attributes:
        n_better: int32 [T], of the split's test targets.
        n_equal: int32 [T].
        listed: int32 [T], candidates of each target's user that have a score, the target too.
        candidates: int32 [T], how many there are.
        unlisted_targets: targets without a score.
    """

    n_better: NDArray[np.int32]
    n_equal: NDArray[np.int32]
    listed: NDArray[np.int32]
    candidates: NDArray[np.int32]
    unlisted_targets: int


@dataclass(frozen=True)
class _Pairs:
    """Scores of one domain: row of the domain's test targets, item of the domain from 0."""

    rows: NDArray[np.int64]
    items: NDArray[np.int64]
    scores: NDArray[np.float64]


def rank_run(
    runs: Mapping[str, ScoredRun], data: Interactions, split: Split, domains: Sequence[str],
    ranking: Ranking, cutoffs: Mapping[str, int | None], unlisted: Unlisted = "refuse",
) -> RunRanks:  # fmt: skip
    """Rank the split's test targets by the scores of files.

    An item without a score ranks below all that have one. Where the target has none, its rank lies
    somewhere behind the list's end: exact enough for a metric with a cut-off within the list, and
    for no other (`unlisted`).

    Args:
        runs: domain -> file; under ``""`` one of all domains, whose items say which they are of.
        data: the dataset, for raw ids.
        split: whose test targets are ranked.
        domains: scored.
        ranking: against what.
        cutoffs: metric -> its cut-off, or None.
        unlisted: see `Unlisted`.

    Raises:
        DataError: unknown users or items, a pair twice.
        HandledError: test users without scores, lists too short for a metric.
    """
    out = np.zeros((4, len(split.test)), np.int32)
    missing = np.zeros(len(split.test), bool)
    pairs_of = _by_domain(runs, data, split, domains)
    for domain in domains:
        rows = _rows_of(data, split, domain)
        if len(rows):
            pairs = pairs_of[domain]
            _check_users(pairs, rows, data, split, domain)
            out[:, rows], missing[rows] = _counts(pairs, rows, data, split, domain, ranking)
    result = RunRanks(out[0], out[1], out[2], out[3], int(missing.sum()))
    if unlisted == "refuse":
        _check_lengths(result, missing, cutoffs)
    return result


def _rows_of(data: Interactions, split: Split, domain: str) -> NDArray[np.int64]:
    return np.flatnonzero(split.test.domains == data.catalogue.domains.index(domain))


def _by_domain(
    runs: Mapping[str, ScoredRun], data: Interactions, split: Split, domains: Sequence[str]
) -> dict[str, _Pairs]:
    """The pairs of each domain, all ids known."""
    for name in runs:
        if name and name not in domains:
            raise HandledError(f"no domain '{name}'{near(name, domains)}: {', '.join(domains)}")
    if "" in runs and len(runs) > 1:
        raise HandledError("give one file of all domains, or DOMAIN=FILE for each")
    if "" not in runs and (lacking := [d for d in domains if d not in runs]):
        raise HandledError(f"no file of the domain '{lacking[0]}': give {lacking[0]}=FILE")
    place_of = _item_places(data, domains)
    return {
        domain: _pairs(runs.get(domain) or runs[""], data, split, domain, place_of, domain in runs)
        for domain in domains
    }


#: Raw id -> domain -> item of the domain, from 0.
_Places = dict[str, dict[str, int]]


def _item_places(data: Interactions, domains: Sequence[str]) -> _Places:
    """Items by raw id; an id of the form ``domain/id`` is known without its domain, too.

    Without it where no item is called just that: an id names one item of a domain, the one that
    `datasets export` writes so.
    """
    places: _Places = {}
    for domain in domains:
        tokens = data.catalogue.tokens[data.catalogue.span(domain)]
        for number, token in enumerate(tokens):
            places.setdefault(token, {})[domain] = number
        for number, token in enumerate(tokens):
            places.setdefault(token.removeprefix(f"{domain}/"), {}).setdefault(domain, number)
    return places


def _pairs(
    run: ScoredRun, data: Interactions, split: Split, domain: str, places: _Places, own: bool
) -> _Pairs:
    """A run's scores of one domain's test users and items; `own`: the file is of this domain."""
    items = np.array([_item(run, n, domain, places, own) for n in range(len(run.items))], np.int64)
    users = _users(run, data, split, domain)
    keep = (users[run.user] >= 0) & (items[run.item] >= 0)
    pairs = _Pairs(users[run.user][keep], items[run.item][keep], run.scores[keep])
    code = pairs.rows * max(1, data.catalogue.size(domain)) + pairs.items
    _, first = np.unique(code, return_index=True)
    if len(first) < len(code):
        again = np.setdiff1d(np.arange(len(code)), first)[0]
        at = np.flatnonzero(keep)[again]
        raise DataError(
            f"user '{run.users[run.user[at]]:.40}' has item '{run.items[run.item[at]]:.40}' twice",
            run.file, run.place(int(at)),
        )  # fmt: skip
    return pairs


def _item(run: ScoredRun, number: int, domain: str, places: _Places, own: bool) -> int:
    """The item of a domain that an id names; -1: it is another domain's."""
    token = run.items[number]
    of = places.get(token, {})
    if (own and domain not in of) or not of:
        where = f" of '{domain}'" if own else ""
        known = [t for t, some in places.items() if domain in some or not own]
        raise DataError(
            f"item '{token:.40}' is no item{where}{near(token, known[:100_000])}; ids are those "
            "that `datasets export` writes", run.file,
            run.place(int(np.flatnonzero(run.item == number)[0])),
        )  # fmt: skip
    if not own and len(of) > 1:
        raise HandledError(
            f"{run.file}: item '{token:.40}' is in the domains {', '.join(of)}: give each domain's "
            "file as DOMAIN=FILE"
        )
    return of.get(domain, -1)


def _users(run: ScoredRun, data: Interactions, split: Split, domain: str) -> NDArray[np.int64]:
    """Row of the domain's test targets of each user of a run; -1: none of its targets."""
    targets = split.test.users[_rows_of(data, split, domain)]
    if len(np.unique(targets)) < len(targets):
        raise HandledError(
            f"a user has several test targets in '{domain}', and a run has one ranking for each "
            "user: it can be ranked under protocols with one target for a user and domain alone"
        )
    row_of = {int(user): row for row, user in enumerate(targets)}
    known = {token: number for number, token in enumerate(data.user_tokens)}
    for number, token in enumerate(data.user_tokens):
        known.setdefault(token.removeprefix(f"{domain}/"), number)
    rows = np.full(len(run.users), -1, np.int64)
    for number, token in enumerate(run.users):
        if token not in known:
            raise DataError(
                f"user '{token:.40}' is no user of the dataset{near(token, list(known)[:100_000])}",
                run.file, run.place(int(np.flatnonzero(run.user == number)[0])),
            )  # fmt: skip
        rows[number] = row_of.get(known[token], -1)
    return rows


def _check_users(
    pairs: _Pairs, rows: NDArray[np.int64], data: Interactions, split: Split, domain: str
) -> None:
    """Every test user has a score.

    Raises:
        HandledError: some have none; says how many and who.
    """
    there = np.zeros(len(rows), bool)
    there[pairs.rows] = True
    without = rows[~there]
    if len(without):
        names = [data.user_tokens[u] for u in split.test.users[without[:_SHOWN]]]
        more = ", ..." if len(without) > _SHOWN else ""
        raise HandledError(
            f"incomplete: {len(without)} of {len(rows)} test users of '{domain}' have no score "
            f"({', '.join(names)}{more}); a mean over the others would be of other users than the "
            "board's: rank all of them"
        )


def _counts(
    pairs: _Pairs, rows: NDArray[np.int64], data: Interactions, split: Split, domain: str,
    ranking: Ranking,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:  # fmt: skip
    """n_better, n_equal, listed, candidates: int64 [4, R]; whether the target has no score [R]."""
    span, size = data.catalogue.span(domain), data.catalogue.size(domain)
    targets = split.test.targets[rows].astype(np.int64) - span.start
    code = pairs.rows * size + pairs.items
    is_target = pairs.items == targets[pairs.rows]
    is_candidate, candidates = _candidates(code, rows, targets, split, span, ranking)
    own = np.full(len(rows), np.nan)
    own[pairs.rows[is_target]] = pairs.scores[is_target]
    other = is_candidate & ~is_target

    def count(mark: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(pairs.rows[other & mark], minlength=len(rows))

    missing, limit = np.isnan(own), own[pairs.rows]
    listed = count(np.ones(len(code), bool))
    better = np.where(missing, listed, count(pairs.scores > limit))
    equal = np.where(missing, candidates - listed, count(pairs.scores == limit))
    return np.stack([better, equal, listed + ~missing, candidates + 1]), missing


def _candidates(
    code: NDArray[np.int64], rows: NDArray[np.int64], targets: NDArray[np.int64], split: Split,
    span: slice, ranking: Ranking,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:  # fmt: skip
    """Which pairs are candidates of their row, and how many each row has beside the target."""
    size = span.stop - span.start
    row, item = past_events(split, split.test, rows, span)
    past = np.unique(row * size + item) if ranking.mask_history else np.zeros(0, np.int64)
    own = np.arange(len(rows)) * size + targets
    if ranking.candidates is None:
        counts = size - 1 - np.bincount(past // size, minlength=len(rows))
        return ~np.isin(code, past), counts
    picked = ranking.candidates[rows].astype(np.int64) - span.start
    drawn = np.unique(np.arange(len(rows))[:, None] * size + picked)
    drawn = np.setdiff1d(drawn, np.concatenate([past, own]))
    return np.isin(code, drawn), np.bincount(drawn // size, minlength=len(rows))


def _check_lengths(
    ranks: RunRanks, missing: NDArray[np.bool_], cutoffs: Mapping[str, int | None]
) -> None:
    """Every metric is known of every target.

    Raises:
        HandledError: a list ends before a metric's cut-off; says what that means for ranks.
    """
    open_ranks = missing & (ranks.listed < ranks.candidates - 1)
    for metric, k in cutoffs.items():
        unknown = open_ranks if k is None else open_ranks & (ranks.listed < k)
        if unknown.any():
            first = int(np.flatnonzero(unknown)[0])
            raise HandledError(
                f"lists too short for {metric}: {int(unknown.sum())} of {len(unknown)} targets are "
                f"not in their lists (the first list has {ranks.listed[first]} of "
                f"{ranks.candidates[first]} candidates), so that their ranks are only known to lie "
                "behind the list's end: give scores of all candidates, or lists of the length of "
                "the cut-off; leave the metric out by --metric; or say --unlisted equal, which "
                "ranks all unlisted candidates as one tie (1 + better + equal / 2)"
            )


def exact(ranks: RunRanks) -> Iterator[str]:
    """What a reader has to know of how the ranks came about; nothing where all are scored."""
    short = int((ranks.listed < ranks.candidates).sum())
    if short:
        yield (
            f"{short} of {len(ranks.listed)} users have lists of some candidates alone; "
            f"{ranks.unlisted_targets} targets are in none and count as tied with all unlisted ones"
        )
