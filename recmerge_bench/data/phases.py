"""Phases of equal events on one time axis: what arrives in a phase is tested on in the next."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.data.splits import (
    checked,
    gather_sequences,
    keep_sequences,
    make_instances,
    numbers_of,
    only_scored,
)
from recmerge_bench.errors import DataError, HandledError

#: Roles of events that no training reads as targets.
TRAINED, VALID, TEST = 0, 1, 2


@dataclass(frozen=True)
class PhaseRules:
    """How events are put into phases, and which of them are held out.

    Attributes:
        count: phases, of equally many events but for equal times, which stay together.
        targets: so many latest events of a sequence in a phase are held out, of sequences that are
            drawn for it.
        valid_share: of a phase's sequences that are drawn for validation.
        test_share: of them that are drawn for the test.
        seed: of the drawing.
    """

    count: int
    targets: int = 1
    valid_share: float = 0.2
    test_share: float = 0.8
    seed: int = 2026

    def __post_init__(self) -> None:
        if self.count < 2:
            raise HandledError(f"{self.count} phases: at least 2, one to train on, one to test")
        if self.targets < 1:
            raise HandledError(f"targets is {self.targets}; at least 1 event is held out")
        shares = self.valid_share, self.test_share
        if min(shares) < 0 or not 0 < sum(shares) <= 1 or not self.test_share:
            raise HandledError(f"valid_share and test_share are {shares}; within 1 together")


def phase_split(
    interactions: Interactions,
    domains: Sequence[str],
    rules: PhaseRules,
    first: int,
    last: int,
    until: int,
    unscored: Sequence[str] = (),
) -> Split:
    """Training on phases `first` to `last`, tests in the phases behind it up to `until`.

    A sequence is a user's events in one domain. Phase p holds the events whose time is at or after
    the time of the event at index ``(p - 1) N // count`` of all N in order of time and before that
    of phase p + 1, so that no training event is later than any target of a later phase. In every
    phase some sequences are drawn, by a hash of user, phase and seed: their latest events in the
    phase are its validation targets or its test targets, and no training of whatever phases reads
    them. Those of phases before `last` stand in no sequence of this split; those of `last` and all
    events behind it are histories of later targets. Targets without history are dropped and
    counted. (Held-out events of the last training phase's own test share are history here, too.)

    Args:
        interactions: the events.
        domains: scored domains.
        rules: the phases.
        first: the first that is trained on, from 1.
        last: the last that is trained on; its validation targets are the split's.
        until: the last that is tested.
        unscored: as in `recmerge_bench.data.splits.leave_one_out`.

    Returns:
        a split with `Split.phases`: the phase of every test target.

    Raises:
        DataError: nothing is left to rank or to train on, or all events have one time.
        HandledError: an unknown domain, or not ``1 <= first <= last < until <= count``.
    """
    if not 1 <= first <= last < until <= rules.count:
        raise HandledError(
            f"not 1 <= first ({first}) <= last ({last}) < until ({until}) <= {rules.count} phases"
        )
    sequences, times, report = gather_sequences(interactions, domains, "domain", unscored)
    phases = phases_of(times, rules.count)
    roles = _roles(interactions, sequences, phases, rules)
    keep = (phases >= first) & (phases <= until) & ((phases >= last) | (roles == TRAINED))
    sequences, phases, roles = _kept(sequences, phases, roles, keep)
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    trained = (phases <= last) & (roles == TRAINED)
    ends = np.bincount(owner[trained], minlength=len(sequences)).astype(np.int32)
    sequences = Sequences(
        sequences.offsets, sequences.items, sequences.users, sequences.domains, ends
    )
    valid, _ = _targets(interactions, sequences, owner, (roles == VALID) & (phases == last),
                        phases, unscored, report, "valid")  # fmt: skip
    test, of = _targets(interactions, sequences, owner, (roles == TEST) & (phases > last),
                        phases, unscored, report, "test")  # fmt: skip
    report["items_trained"] = len(np.unique(sequences.training()[1]))
    return checked(Split(sequences, valid, test, report, of))


def phases_of(times: NDArray[np.int64], count: int) -> NDArray[np.int16]:
    """The phase of every event, from 1: int16 [N].

    Raises:
        DataError: a phase has no event: too many have one time.
    """
    ordered = np.sort(times)
    starts = ordered[np.arange(1, count) * len(ordered) // count]
    phases = (np.searchsorted(starts, times, side="right") + 1).astype(np.int16)
    if (np.bincount(phases, minlength=count + 1)[1:] == 0).any():
        raise DataError(f"the events cannot be cut into {count} phases: too many have one time")
    return phases


def entered(splits: Sequence[Split], n_items: int) -> NDArray[np.int16]:
    """The first of some phases in whose training part an item occurs: int16 [I], 0: in none.

    Args:
        splits: of phases 1, 2, ..., each trained on alone.
        n_items: of the catalogue.
    """
    first = np.zeros(n_items, np.int16)
    for phase in range(len(splits), 0, -1):
        first[np.unique(splits[phase - 1].sequences.training()[1])] = phase
    return first


def _roles(
    interactions: Interactions,
    sequences: Sequences,
    phases: NDArray[np.int16],
    rules: PhaseRules,
) -> NDArray[np.int8]:
    """What each event is for: int8 [N]. Times grow along a sequence, and with them phases."""
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    group = owner * (rules.count + 1) + phases
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts[1:], len(group))
    drawn = _drawn(interactions, sequences, owner[starts], phases[starts], rules)
    left = np.repeat(ends, ends - starts) - np.arange(len(group))
    return np.where(left <= rules.targets, np.repeat(drawn, ends - starts), TRAINED).astype(np.int8)


def _drawn(
    interactions: Interactions,
    sequences: Sequences,
    rows: NDArray[np.int64],
    phases: NDArray[np.int16],
    rules: PhaseRules,
) -> NDArray[np.int8]:
    """For each sequence and phase what its latest events there are for: int8 [G]."""
    domains = interactions.catalogue.domains
    words = (
        f"{rules.seed} {phase} {domains[sequences.domains[row]]} "
        f"{interactions.user_tokens[sequences.users[row]]}"
        for row, phase in zip(rows, phases, strict=True)
    )
    hashes = [hashlib.sha256(word.encode()).digest()[:8] for word in words]
    draws = np.frombuffer(b"".join(hashes), ">u8").astype(np.float64) / 2.0**64
    tested = draws < rules.valid_share + rules.test_share
    return np.where(draws < rules.valid_share, VALID, np.where(tested, TEST, TRAINED)).astype(
        np.int8
    )


def _kept(
    sequences: Sequences,
    phases: NDArray[np.int16],
    roles: NDArray[np.int8],
    keep: NDArray[np.bool_],
) -> tuple[Sequences, NDArray[np.int16], NDArray[np.int8]]:
    """Sequences of the chosen events alone; those without any are left out."""
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    counts = np.bincount(owner[keep], minlength=len(sequences))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    some = Sequences(offsets, sequences.items[keep], sequences.users, sequences.domains,
                     sequences.train_end)  # fmt: skip
    some, _ = keep_sequences(some, counts > 0)
    return some, phases[keep], roles[keep]


def _targets(
    interactions: Interactions,
    sequences: Sequences,
    owner: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    phases: NDArray[np.int16],
    unscored: Sequence[str],
    report: dict[str, int],
    part: str,
) -> tuple[Instances, NDArray[np.int16]]:
    """Instances of the chosen events that have a history, and their phases."""
    places = np.flatnonzero(chosen)
    rows = owner[places]
    position = places - sequences.offsets[rows]
    report[f"{part}_targets_without_history"] = int((position == 0).sum())
    scored = ~np.isin(sequences.domains[rows], numbers_of(interactions, unscored))
    places, rows, position = (a[(position > 0) & scored] for a in (places, rows, position))
    made = make_instances(interactions, sequences, rows, position)
    return only_scored(made, interactions, unscored, report, part), phases[places]
