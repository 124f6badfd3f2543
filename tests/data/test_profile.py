"""How events are spread: counted by hand on a few users."""

from __future__ import annotations

import numpy as np

from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.profile import octaves, spread


def test_octaves_have_every_count_once() -> None:
    counts = np.array([0, 1, 2, 3, 4, 7, 8, 70])
    bins = octaves(counts)
    assert bins == [(0, 0, 1), (1, 1, 1), (2, 3, 2), (4, 7, 2), (8, 15, 1), (16, 31, 0),
                    (32, 63, 0), (64, 127, 1)]  # fmt: skip
    assert octaves(np.array([2, 3])) == [(2, 3, 2)] and octaves(np.array([], int)) == []
    powers = [1 << n for n in range(40)]
    assert [b[:2] for b in octaves(np.array(powers))] == [(p, 2 * p - 1) for p in powers]


def test_users_items_and_ties() -> None:
    catalogue = Catalogue(("a", "b"), np.array([0, 2, 4]), list("wxyz"), [""] * 4)
    made = spread(Interactions(
        np.array([0, 3, 3, 5, 6]), np.array([0, 0, 2, 2, 2, 0], np.int32),
        np.array([5, 5, 9, 9, 9, 9]), list("uvst"), catalogue,
    ))  # fmt: skip
    assert (made.users, made.events) == (4, 6)
    assert made.lengths == [(0, 0, 1), (1, 1, 1), (2, 3, 2)]
    assert made.popularity == {"a": [(0, 0, 1), (1, 1, 0), (2, 3, 1)],
                               "b": [(0, 0, 1), (1, 1, 0), (2, 3, 1)]}  # fmt: skip
    # the first user's two at 5, the third user's two at 9; neighbours of two users are no tie
    assert made.tied == 4
