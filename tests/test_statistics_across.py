"""Mean ranks, groups and Friedman's test over several domains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.across import (
    critical_difference,
    friedman,
    groups,
    inseparable,
    mean_ranks,
    omnibus,
    ranks,
)
from recmerge_bench.statistics.scores import Scores, Units


@given(st.integers(0, 10_000), st.integers(3, 8), st.integers(8, 15), st.booleans())
def test_friedman_is_scipys(seed: int, methods: int, domains: int, tied: bool) -> None:
    values = np.random.default_rng(seed).normal(size=(domains, methods))
    values = np.round(values, 0 if tied else 6)
    values[0] = np.arange(methods)  # not all tied
    theirs = stats.friedmanchisquare(*values.T)
    mine = friedman(values)
    assert mine == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12, abs=1e-12)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_ranks_are_scipys(values: list[int]) -> None:
    mine = ranks(np.array(values, np.float64))
    assert mine.tolist() == stats.rankdata([-v for v in values]).tolist()


def test_few_domains_are_said_to_be_few() -> None:
    found = omnibus(np.random.default_rng(0).normal(size=(7, 4)))
    assert found.statistic is None and found.p is None and found.critical_difference is None
    assert found.said == "too few domains for a Friedman test: 7 of at least 8"
    enough = omnibus(np.random.default_rng(0).normal(size=(8, 4)))
    assert enough.statistic is not None and "8 domains" in enough.said
    with pytest.raises(HandledError, match="three methods or more"):
        omnibus(np.ones((9, 2)))
    assert friedman(np.ones((9, 3))) == (0.0, 1.0)


def test_critical_differences_are_the_published_ones() -> None:
    """Demšar (2006), table 5: q .05 of 2, 5 and 10 methods is 1.960, 2.728, 3.164."""
    for methods, q in ((2, 1.960), (5, 2.728), (10, 3.164)):
        published = q * np.sqrt(methods * (methods + 1) / (6 * 14))
        assert critical_difference(methods, 14) == pytest.approx(published, rel=5e-4)


def test_groups_are_the_longest_runs() -> None:
    together = np.eye(4, dtype=bool)
    for a, b in ((0, 1), (1, 2), (0, 2), (2, 3)):
        together[a, b] = together[b, a] = True
    order = np.array([3.0, 1.0, 2.0, 4.0])  # by rank: 1, 2, 0, 3
    assert groups(order, together) == [[1, 2, 0], [3]]
    together[0, 3] = together[3, 0] = True
    assert groups(order, together) == [[1, 2, 0], [2, 0, 3]]
    assert groups(order, np.eye(4, dtype=bool)) == [[1], [2], [0], [3]]
    assert groups(order, np.ones((4, 4), bool)) == [[1, 2, 0, 3]]


def several(seeds: int = 5) -> tuple[list[Scores], Units]:
    rng = np.random.default_rng(1)
    units = Units(np.repeat(np.arange(4), 200), np.arange(800))
    lifts = (0.0, 0.0, 0.8, 1.6)
    return [
        Scores(
            lift + rng.normal(size=(seeds, 800)) + rng.normal(scale=0.02, size=(seeds, 1)),
            tuple(range(seeds)),
        )
        for lift in lifts
    ], units


def test_mean_ranks_with_intervals() -> None:
    methods, units = several()
    found = mean_ranks(methods, units, draws=300)
    assert found.means[3] == 1.0 and found.means[2] == 2.0
    assert found.means[:2].sum() == pytest.approx(7.0)
    assert (found.lower[3], found.upper[3]) == (1.0, 1.0)
    assert found.lower[0] < found.upper[0]
    assert (found.lower <= found.means).all() and (found.means <= found.upper).all()
    again = mean_ranks(methods, units, draws=300)
    assert (again.lower == found.lower).all()


def test_a_methods_twin_always_shares_its_rank() -> None:
    methods, units = several()
    found = mean_ranks([methods[0], methods[0], methods[3]], units, draws=200)
    assert found.means.tolist() == [2.5, 2.5, 1.0]
    assert found.lower.tolist() == found.upper.tolist() == [2.5, 2.5, 1.0]


def test_ranks_do_not_follow_the_last_bit_of_a_sum() -> None:
    rng = np.random.default_rng(3)
    values = rng.random((2, 120))
    scores = [Scores(values, (0, 1)), Scores(values * (1 + 1e-15), (0, 1))]
    scores.append(Scores(rng.random((2, 120)), (0, 1)))
    found = mean_ranks(scores, Units(np.repeat([0, 1], 60), np.arange(120)), draws=300)
    assert found.means[0] == found.means[1]
    assert (found.lower[0], found.upper[0]) == (found.lower[1], found.upper[1])


def test_which_pairs_cannot_be_told_apart() -> None:
    methods, units = several()
    together = inseparable(methods, units)
    assert together.tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
    ]
    found = groups(mean_ranks(methods, units, draws=200).means, together)
    assert [sorted(g) for g in found] == [[3], [2], [0, 1]]
    few, units = several(seeds=4)
    assert inseparable(few, units).all()  # no verdict below five seeds
