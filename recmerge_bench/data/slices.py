"""Groups of test instances that a board can report by itself: ranks are stored, groups derive.

A group says what an instance is like before anything was trained, from the events and the split
alone, so that it is the same for all methods and seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.data.splits import Scope, gather_sequences
from recmerge_bench.errors import HandledError

#: Groups that cards take by name.
TIED, SEEN_STEP, NEW_STEP = "tied-last-day", "transition-seen", "transition-new"


@dataclass(frozen=True)
class Slice:
    """Some of the instances.

    Attributes:
        name: kebab-case, the same for all datasets.
        about: what they have in common, with numbers where they were cut by quantiles.
        rows: bool [T], whether an instance is one of them.
    """

    name: str
    about: str
    rows: np.ndarray


def slices(
    split: Split, interactions: Interactions, instances: Instances | None = None, bins: int = 4
) -> list[Slice]:
    """All groups of these instances; empty ones are left out.

    ``tied-last-day``: another event of the sequence has the target's time, so that the tie rule,
    not the user, may have made it the target (with times of days: an event of the same day).
    ``cold-target``: the target is in no training part. ``history-1`` ..: by the number of events
    before the target, shortest first. ``popularity-0``: as ``cold-target``; ``popularity-1`` ..:
    the others by the target's number of training events, rarest first. ``transition-seen``: in some
    training part the target stands directly behind the last event of the instance's history (see
    `memorised`); ``transition-new``: the others.

    Args:
        split: whose sequences hold the instances.
        interactions: what was split.
        instances: test instances if not given.
        bins: quantile groups; equal values are never parted, so there may be fewer.

    Raises:
        HandledError: `bins` is below 1; the sequences of the split are not the users' events of
            whole domains or the latest of those, so that their times are unknown.
    """
    if bins < 1:
        raise HandledError(f"{bins} quantile groups: at least 1")
    part = split.test if instances is None else instances
    _, items = split.sequences.training()
    trained = np.bincount(items, minlength=interactions.catalogue.n_items)[part.targets]
    cold = trained == 0
    ties = tied(split, interactions, part)
    groups = [
        Slice(TIED, "another event of the target's time", ties),
        Slice("cold-target", "target in no training part", cold),
    ]
    everyone = np.ones(len(part), bool)
    groups += _quantiles("history", "events before the target", part.position, everyone, bins)
    groups += _quantiles("popularity", "training events of the target", trained, ~cold, bins)
    seen = memorised(split, interactions.catalogue.n_items, part)
    groups += [
        Slice(SEEN_STEP, "the last item was followed by the target in training", seen),
        Slice(NEW_STEP, "the last item was never followed by the target there", ~seen),
    ]
    return [one for one in groups if one.rows.any()]


def memorised(split: Split, n_items: int, instances: Instances) -> np.ndarray:
    """Whether training holds the step from a history's last item to the target: bool [T].

    A step is two consecutive events of one sequence's training part, of any user: in a mixed
    sequence whatever their domains. What counts is that it occurs, not how often. (The last event
    of a test target's history is leave-one-out's validation target: an item alone, no step.)

    Args:
        split: whose training parts are searched.
        n_items: of the catalogue.
        instances: each with a history.
    """
    offsets, items = split.sequences.training()
    inside = np.ones(len(items), bool)
    inside[offsets[1:] - 1] = False  # the last event of a part is followed by none of it
    before = np.flatnonzero(inside)
    steps = items[before].astype(np.int64) * n_items + items[before + 1]
    at = split.sequences.offsets[instances.sequence] + instances.position
    asked = split.sequences.items[at - 1].astype(np.int64) * n_items + instances.targets
    return np.isin(asked, steps)


def tied(split: Split, interactions: Interactions, instances: Instances) -> np.ndarray:
    """Whether another event of the sequence has the target's time: bool [T].

    Raises:
        HandledError: as `slices` does.
    """
    sequences, times = split.sequences, event_times(split, interactions)
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    _, place, counts = np.unique(
        np.stack([owner, times]), axis=1, return_inverse=True, return_counts=True
    )
    at = sequences.offsets[instances.sequence] + instances.position
    return np.asarray(counts[place.reshape(-1)[at]] > 1)


def event_times(split: Split, interactions: Interactions) -> np.ndarray:
    """Times of the events of the split's sequences: int64 [N].

    Raises:
        HandledError: as `slices` does.
    """
    sequences = split.sequences
    of_item = interactions.item_domains()
    present = np.unique(of_item[sequences.items])
    names = [interactions.catalogue.domains[d] for d in present]
    scope: Scope = "mixed" if (sequences.domains < 0).any() else "domain"
    whole, times, _ = gather_sequences(interactions, names, scope, ())
    size = len(interactions.catalogue.domains) + 1
    known, wanted = (s.users.astype(np.int64) * size + s.domains + 1 for s in (whole, sequences))
    row = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    lengths = np.diff(sequences.offsets)
    starts = whole.offsets[row + 1] - lengths  # the latest ones
    at = np.repeat(starts - sequences.offsets[:-1], lengths) + np.arange(len(sequences.items))
    if (known[row] != wanted).any() or not np.array_equal(whole.items[at], sequences.items):
        raise HandledError(
            "the protocol's sequences are not the latest events of whole domains: their times are "
            "unknown, so there are no groups by time"
        )
    return np.asarray(times[at])


def _quantiles(
    name: str, description: str, values: np.ndarray, among: np.ndarray, bins: int
) -> list[Slice]:
    """Groups of about equal size by value, numbered from 1."""
    if not among.any():
        return []
    ordered = np.sort(values[among])
    cuts = np.unique(ordered[[(n * len(ordered) - 1) // bins for n in range(1, bins)]])
    group = np.searchsorted(cuts, values, side="left")  # a cut belongs below: no sliver at the ends
    groups: list[Slice] = []
    for number in np.unique(group[among]):
        rows = among & (group == number)
        low, high = int(values[rows].min()), int(values[rows].max())
        numbers = str(low) if low == high else f"{low} to {high}"
        groups.append(Slice(f"{name}-{len(groups) + 1}", f"{numbers} {description}", rows))
    return groups
