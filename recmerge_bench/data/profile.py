"""How a dataset's events are spread over its users, its items and time: counts in octaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recmerge_bench.data.interactions import Interactions

#: From, to (both included) and how many, of one octave: 1, 2-3, 4-7, ...
Octave = tuple[int, int, int]


@dataclass(frozen=True)
class Spread:
    """Counts of a dataset's events.

    Attributes:
        users: in all.
        events: in all.
        lengths: octave of events that a user has -> users.
        popularity: domain -> octave of events that an item has -> items; items without an event
            are the octave from 0 to 0.
        tied: events that share their time with another event of the same user.
    """

    users: int
    events: int
    lengths: list[Octave]
    popularity: dict[str, list[Octave]]
    tied: int


def spread(interactions: Interactions) -> Spread:
    """The counts of all events, test targets included."""
    catalogue = interactions.catalogue
    by_item = np.bincount(interactions.items, minlength=catalogue.n_items)
    return Spread(
        users=interactions.n_users,
        events=len(interactions.items),
        lengths=octaves(np.diff(interactions.offsets)),
        popularity={d: octaves(by_item[catalogue.span(d)]) for d in catalogue.domains},
        tied=_tied(interactions),
    )


def octaves(counts: np.ndarray) -> list[Octave]:
    """How many of `counts` (integers, none negative) lie in 0, 1, 2-3, 4-7, ...; empty ones in
    between are listed, those at the ends are not."""
    if not len(counts):
        return []
    powers = np.where(counts > 0, np.log2(np.maximum(counts, 1)).astype(np.int64), -1)
    found = np.bincount(powers + 1)
    low = int(np.flatnonzero(found)[0])
    return [
        (0 if n == 0 else 1 << (n - 1), 0 if n == 0 else (1 << n) - 1, int(found[n]))
        for n in range(low, len(found))
    ]


def _tied(interactions: Interactions) -> int:
    """Events of a user stand in the order of time: ties are neighbours."""
    times, first = interactions.times, np.zeros(len(interactions.times), bool)
    first[interactions.offsets[:-1][np.diff(interactions.offsets) > 0]] = True
    same = np.zeros(len(times) + 1, bool)  # event n has the time of event n - 1
    same[1:-1] = (times[1:] == times[:-1]) & ~first[1:]
    return int((same[:-1] | same[1:]).sum())
