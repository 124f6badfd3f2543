"""What a split lets training know of its test targets: later events, and the targets themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Sequences, Split
from recmerge_bench.errors import DataError

NEVER = np.iinfo(np.int64).min
Facts = tuple[float | None, float | None, float | None, float | None]


@dataclass(frozen=True)
class Audit:
    """Facts of leakage, of the test instances of a split.

    "Later" is strictly later than the target's own time; training events are the leading
    ``train_end`` events of the sequences, of any user unless said otherwise. Facts about time are
    None where times are places in a sequence, no moments.

    Attributes:
        instances: number of test instances.
        later_own: share with a later training event in the target's own domain.
        later_other: share with one in another domain.
        later_same_user: share with one of the same user, in any domain.
        later_events: mean share of all training events that are later than the target.
        same_events: test events that training sees as the very same event; anything but 0 is a
            fault of the protocol.
        shared_keys: distinct (user, item) keys that are in the test and in training events.
        seen_targets: share of instances whose user has the target among the training events.
        equal_times: share that another event of their sequence has the time of, so that a tie
            rule, not the user, may have made them targets; None as above.
    """

    instances: int
    later_own: float | None
    later_other: float | None
    later_same_user: float | None
    later_events: float | None
    same_events: int
    shared_keys: int
    seen_targets: float
    equal_times: float | None = None


def audit(interactions: Interactions, split: Split, timed: bool = True) -> Audit:
    """Facts of leakage of a split.

    Args:
        interactions: the events that it was made of.
        split: the split.
        timed: False where `Interactions.times` are no moments (places in a sequence).

    Raises:
        DataError: a sequence holds an event that the interactions do not.
    """
    sequences, test = split.sequences, split.test
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    place = np.arange(len(owner)) - sequences.offsets[owner]
    trained = place < sequences.train_end[owner]
    target = sequences.offsets[test.sequence] + test.position
    keys = sequences.users[owner].astype(np.int64) * interactions.catalogue.n_items
    keys += sequences.items
    seen = np.isin(keys[target], keys[trained])
    times: Facts = (None, None, None, None)
    if timed:
        times = _time_facts(interactions, sequences, test, trained, target)
    return Audit(
        len(test), *times, int(trained[target].sum()), len(np.unique(keys[target][seen])),
        float(seen.mean()), _equal_times(interactions, sequences, target) if timed else None,
    )  # fmt: skip


def _equal_times(interactions: Interactions, sequences: Sequences, target: np.ndarray) -> float:
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    pairs = np.stack([owner, event_times(interactions, sequences)])
    _, place, counts = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    return float((counts[place.reshape(-1)[target]] > 1).mean())


def event_times(interactions: Interactions, sequences: Sequences) -> np.ndarray:
    """The time of each event of the sequences: int64 [N].

    A user's k-th event of an item is the k-th of that item in the interactions, whatever else the
    sequences leave out.

    Raises:
        DataError: there is no such event.
    """
    size = interactions.catalogue.n_items
    users = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    known = users * size + np.asarray(interactions.items, np.int64)
    asked = np.repeat(sequences.users.astype(np.int64), np.diff(sequences.offsets)) * size
    asked = asked + sequences.items
    order = np.argsort(known, kind="stable")
    at = np.searchsorted(known[order], asked) + _occurrence(asked)
    inside = at < len(known)
    if not inside.all() or not (known[order[at]] == asked).all():
        raise DataError("the split holds events that its interactions do not; split again")
    times: np.ndarray = np.asarray(interactions.times)[order[at]]
    return times


def _occurrence(keys: np.ndarray) -> np.ndarray:
    """How many equal keys stand before each."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.searchsorted(ordered, ordered)
    earlier = np.empty(len(keys), np.int64)
    earlier[order] = np.arange(len(keys)) - first
    return earlier


def _time_facts(
    interactions: Interactions, sequences: Sequences, test: Instances, trained: np.ndarray,
    target: np.ndarray,
) -> Facts:  # fmt: skip
    times = event_times(interactions, sequences)
    of_item = interactions.item_domains().astype(np.int64)
    domains, asked = of_item[sequences.items[trained]], test.domains.astype(np.int64)
    last = _last(domains, times[trained], len(interactions.catalogue.domains))
    others = np.array([np.delete(last, d).max(initial=NEVER) for d in range(len(last))])
    owner = np.repeat(sequences.users, np.diff(sequences.offsets))[trained]
    by_user = _last(owner, times[trained], interactions.n_users)
    moment, ordered = times[target], np.sort(times[trained])
    after = len(ordered) - np.searchsorted(ordered, moment, side="right")
    return (
        float((last[asked] > moment).mean()),
        float((others[asked] > moment).mean()),
        float((by_user[test.users] > moment).mean()),
        float(after.mean() / len(ordered)),
    )


def _last(groups: np.ndarray, times: np.ndarray, count: int) -> np.ndarray:
    """Latest time of each group, the smallest integer where it has none."""
    latest = np.full(count, NEVER)
    np.maximum.at(latest, groups, times)
    return latest
