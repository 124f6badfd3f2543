"""How events become training parts, validation and test instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.errors import DataError, HandledError, near

Scope = Literal["domain", "mixed"]


def leave_one_out(
    interactions: Interactions,
    domains: Sequence[str],
    scope: Scope = "domain",
    min_length: int = 3,
    unscored: Sequence[str] = (),
    last: int = 0,
    least_each: int = 0,
) -> Split:
    """The last event of a sequence is the test target, the one before validation's.

    Args:
        interactions: the events.
        domains: scored domains.
        scope: ``domain``: a sequence for each user and domain (MergeRec); ``mixed``: one for each
            user over all domains together (MERIT).
        min_length: shorter sequences are dropped and counted; at least 3.
        unscored: further domains whose events are cut alike and are never targets: their last two
            are not trained on either. (In a mixed sequence such a target is dropped and counted.)
        last: only a sequence's latest so many events are used, the others are counted (MERIT:
            50); 0: all.
        least_each: a mixed sequence needs so many events (of those) of each scored domain, others
            are dropped and counted (MERIT: 5).

    Raises:
        DataError: nothing is left to rank or to train on; no user of a mixed split has events of
            two domains.
        HandledError: an unknown domain, a `min_length` that leaves a target without a history, a
            `last` below `min_length`, `least_each` for sequences of one domain.
    """
    if min_length < 3:
        raise HandledError(f"min_length is {min_length}; train, valid and test need 3 events")
    if last < 0 or 0 < last < min_length:
        raise HandledError(f"last is {last}; sequences have at least {min_length} events")
    if least_each and scope != "mixed":
        raise HandledError("least_each is for mixed sequences: the others have one domain")
    sequences, _, report = gather_sequences(interactions, domains, scope, unscored)
    if last:
        report["events_before_the_last"] = len(sequences.items)
        sequences = keep_latest(sequences, last)
        report["events_before_the_last"] -= len(sequences.items)
    if least_each:
        enough = np.all(_by_domain(interactions, sequences, domains) >= least_each, axis=1)
        report["sequences_short_of_a_domain"] = int((~enough).sum())
        sequences, _ = keep_sequences(sequences, enough)
    lengths = np.diff(sequences.offsets)
    sequences, _ = keep_sequences(sequences, lengths >= min_length)
    report["sequences_too_short"] = int((lengths < min_length).sum())
    lengths = np.diff(sequences.offsets).astype(np.int32)
    sequences = with_train_end(sequences, lengths - 2)
    rows = np.arange(len(sequences))
    valid, test = (
        only_scored(make_instances(interactions, sequences, rows, lengths - back),
                     interactions, unscored, report, part)
        for back, part in ((2, "valid"), (1, "test"))
    )  # fmt: skip
    return checked(Split(sequences, valid, test, report))


def temporal(
    interactions: Interactions,
    domains: Sequence[str],
    scope: Scope = "domain",
    valid_from: float = 0.8,
    test_from: float = 0.9,
    unscored: Sequence[str] = (),
) -> Split:
    """Global cut-off times, the same for all users: no training event is later than any target.

    Training holds the events strictly before the first cut-off. A sequence's validation target is
    its first event in [first, second cut-off), its test target its first event at or after the
    second; targets without any earlier event of the sequence are dropped and counted. A cut-off
    is an event's own time, the one at index ``int(quantile * (N - 1))`` of all sorted times.

    Args:
        interactions: the events.
        domains: scored domains.
        scope: as in `leave_one_out`.
        valid_from: quantile of all event times of these domains that is the first cut-off.
        test_from: quantile that is the second.
        unscored: as in `leave_one_out`.

    Raises:
        DataError: nothing is left to rank or to train on.
        HandledError: an unknown domain, cut-offs that are not 0 < valid < test < 1.
    """
    if not 0 < valid_from < test_from < 1:
        raise HandledError(f"not 0 < valid_from ({valid_from}) < test_from ({test_from}) < 1")
    sequences, times, report = gather_sequences(interactions, domains, scope, unscored)
    ordered = np.sort(times)
    first, second = (ordered[int(q * (len(ordered) - 1))] for q in (valid_from, test_from))
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))

    def before(moment: int) -> np.ndarray:
        return np.bincount(owner[times < moment], minlength=len(sequences)).astype(np.int32)

    n_train, n_valid = before(first), before(second)
    lengths = np.diff(sequences.offsets).astype(np.int32)
    sequences = with_train_end(sequences, n_train)
    parts = []
    for part, start, end in (("valid", n_train, n_valid), ("test", n_valid, lengths)):
        present = np.flatnonzero(end > start)
        report[f"sequences_without_{part}_target"] = len(sequences) - len(present)
        made = make_instances(interactions, sequences, present, start[present])
        made = only_scored(made, interactions, unscored, report, part)
        report[f"{part}_targets_without_history"] = int((made.position == 0).sum())
        parts.append(made.take(made.position > 0))
    return checked(Split(sequences, parts[0], parts[1], report))


def gather_sequences(
    interactions: Interactions, domains: Sequence[str], scope: Scope, unscored: Sequence[str]
) -> tuple[Sequences, np.ndarray, dict[str, int]]:
    """Sequences of these domains, whole (train_end 0), their events' times, and counts.

    Raises:
        DataError: sequences of several domains are mixed, and no user has events of two.
        HandledError: an unknown domain.
    """
    names = interactions.catalogue.domains
    wanted = numbers_of(interactions, (*domains, *unscored))
    belongs = interactions.item_domains()[interactions.items].astype(np.int64)
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    keep = np.flatnonzero(np.isin(belongs, wanted))
    users, belongs = users[keep], belongs[keep]
    if scope == "domain":
        order = np.argsort(users * len(names) + belongs, kind="stable")
        keep, users, belongs = keep[order], users[order], belongs[order]
        group = users * len(names) + belongs
    else:
        group = users
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    offsets = np.concatenate([starts, [len(group)]]).astype(np.int64)
    heads = offsets[:-1]
    domain = belongs[heads] if scope == "domain" else np.full(len(heads), -1)
    sequences = Sequences(
        offsets,
        np.asarray(interactions.items)[keep].astype(np.int32),
        users[heads].astype(np.int32),
        domain.astype(np.int16),
        np.zeros(len(heads), np.int32),
    )
    report = {"sequences": len(heads)}
    if scope == "mixed" and len(wanted) > 1:
        together = (_by_domain(interactions, sequences, (*domains, *unscored)) > 0).sum(1) > 1
        report["sequences_of_one_domain"] = int((~together).sum())
        if not together.any():
            raise DataError(
                f"no user has events of two of the domains {', '.join((*domains, *unscored))}: "
                "a mixed sequence needs users that they share"
            )
    return sequences, np.asarray(interactions.times)[keep], report


def _by_domain(
    interactions: Interactions, sequences: Sequences, domains: Sequence[str]
) -> np.ndarray:
    """Events of each of these domains in each sequence: int64 [S, D]."""
    n = len(interactions.catalogue.domains)
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    cells = owner * n + interactions.item_domains()[sequences.items]
    counts = np.bincount(cells, minlength=len(sequences) * n).reshape(-1, n)
    return counts[:, numbers_of(interactions, domains)]


def keep_latest(sequences: Sequences, last: int) -> Sequences:
    """The same sequences cut to their `last` latest events (train_end 0)."""
    lengths = np.diff(sequences.offsets)
    left = np.repeat(sequences.offsets[1:], lengths) - np.arange(len(sequences.items))
    offsets = np.concatenate([[0], np.cumsum(np.minimum(lengths, last))]).astype(np.int64)
    return Sequences(
        offsets,
        sequences.items[left <= last],
        sequences.users,
        sequences.domains,
        np.zeros(len(sequences), np.int32),
    )


def keep_sequences(sequences: Sequences, keep: np.ndarray) -> tuple[Sequences, np.ndarray]:
    """The chosen sequences, and the mask of their events."""
    lengths = np.diff(sequences.offsets)
    events = np.repeat(keep, lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths[keep])]).astype(np.int64)
    chosen = Sequences(
        offsets,
        sequences.items[events],
        sequences.users[keep],
        sequences.domains[keep],
        sequences.train_end[keep],
    )
    return chosen, events


def with_train_end(sequences: Sequences, train_end: np.ndarray) -> Sequences:
    """The same sequences with their training parts marked."""
    return Sequences(
        sequences.offsets,
        sequences.items,
        sequences.users,
        sequences.domains,
        np.maximum(train_end, 0).astype(np.int32),
    )


def make_instances(
    interactions: Interactions, sequences: Sequences, rows: np.ndarray, position: np.ndarray
) -> Instances:
    """Instances of the events at `position` of the sequences `rows`."""
    targets = sequences.items[sequences.offsets[rows] + position]
    return Instances(
        rows.astype(np.int32),
        position.astype(np.int32),
        sequences.users[rows],
        interactions.item_domains()[targets],
        targets.astype(np.int32),
    )


def only_scored(
    made: Instances,
    interactions: Interactions,
    unscored: Sequence[str],
    report: dict[str, int],
    part: str,
) -> Instances:
    """The instances whose targets are scored; the others are counted."""
    scored = ~np.isin(made.domains, numbers_of(interactions, unscored))
    report[f"{part}_targets_unscored"] = int((~scored).sum())
    return made.take(scored)


def numbers_of(interactions: Interactions, domains: Sequence[str]) -> np.ndarray:
    """Numbers of these domains: int64 [D].

    Raises:
        HandledError: there is no such domain.
    """
    names = interactions.catalogue.domains
    for name in domains:
        if name not in names:
            raise HandledError(
                f"no domain '{name}'{near(name, names)}; there are: {', '.join(names)}"
            )
    return np.array([names.index(name) for name in domains], np.int64)


def checked(split: Split) -> Split:
    """The split, if there is something to train on and to rank.

    Raises:
        DataError: there is not.
    """
    if not len(split.test):
        raise DataError("the protocol leaves no test target: sequences are too short or too early")
    if not (split.sequences.train_end > 0).any():
        raise DataError("the protocol leaves no training event")
    return split
