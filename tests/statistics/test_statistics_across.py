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
    mean_ranks,
    omnibus,
    ranks,
    separated,
)
from recmerge_bench.statistics.scores import Scores, Units

#: Demšar (2006), table 6: AUC of C4.5, with m, with cf and with both, on 14 data sets.
PUBLISHED = np.array(
    [
        [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972,
         0.957],
        [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981,
         0.978],
        [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614, 0.9751,
         0.946],
        [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669, 0.975,
         0.970],
    ]
).T  # fmt: skip


def test_friedman_gives_the_published_example() -> None:
    """Its mean ranks and its chi square of 9.28, which is not corrected for ties."""
    placed = ranks(PUBLISHED)
    assert placed.mean(axis=0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    sizes = [np.unique(row, return_counts=True)[1] for row in placed]
    ties = sum(int((n**3 - n).sum()) for n in sizes)
    statistic, p = friedman(PUBLISHED)
    assert statistic * (1 - ties / (14 * (4**3 - 4))) == pytest.approx(9.28, abs=5e-3)
    assert p == pytest.approx(stats.chi2.sf(statistic, 3))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_ranks_are_scipys(values: list[int]) -> None:
    ours = ranks(np.array(values, np.float64))
    assert ours.tolist() == stats.rankdata([-v for v in values]).tolist()


def test_few_domains_are_said_to_be_few() -> None:
    test = omnibus(np.random.default_rng(0).normal(size=(7, 4)))
    assert test.statistic is None and test.p is None and test.critical_difference is None
    assert test.sentence == "too few domains for a Friedman test: 7 of at least 8"
    enough = omnibus(np.random.default_rng(0).normal(size=(8, 4)))
    assert enough.statistic is not None and "8 domains" in enough.sentence
    with pytest.raises(HandledError, match="three methods or more"):
        omnibus(np.ones((9, 2)))
    assert friedman(np.ones((9, 3))) == (0.0, 1.0)


def test_critical_differences_are_the_published_ones() -> None:
    """Demšar (2006), table 5: q .05 of 2, 5 and 10 methods is 1.960, 2.728, 3.164."""
    for methods, q in ((2, 1.960), (5, 2.728), (10, 3.164)):
        published = q * np.sqrt(methods * (methods + 1) / (6 * 14))
        assert critical_difference(methods, 14) == pytest.approx(published, rel=5e-4)


Apart = dict[tuple[int, int], bool | None]


def apart_but(*together: tuple[int, int], unknown: tuple[tuple[int, int], ...] = ()) -> Apart:
    """All pairs of four are told apart but these."""
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    return {p: None if p in unknown else p not in together for p in pairs}


def test_groups_are_the_longest_runs() -> None:
    order, all_four = np.array([3.0, 1.0, 2.0, 4.0]), [True] * 4  # by rank: 1, 2, 0, 3
    some = ((0, 1), (1, 2), (0, 2), (2, 3))
    assert groups(order, apart_but(*some), all_four) == [[1, 2, 0], [3]]
    assert groups(order, apart_but(*some, (0, 3)), all_four) == [[1, 2, 0], [2, 0, 3]]
    assert groups(order, apart_but(), all_four) == [[1], [2], [0], [3]]
    assert groups(order, apart_but(*apart_but()), all_four) == [[1, 2, 0, 3]]


def test_groups_are_formed_of_verdicts_alone() -> None:
    order = np.array([3.0, 1.0, 2.0, 4.0])
    unknown = apart_but((1, 2), unknown=((0, 3), (0, 1)))
    assert groups(order, unknown, [True] * 4) == [[2]]  # 0, 1 and 3 have pairs without verdict
    assert groups(order, unknown, [False, True, True, True]) == [[1, 2], [3]]
    assert groups(order, unknown, [False] * 4) == []


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
    placed = mean_ranks(methods, units, draws=300)
    assert placed.means[3] == 1.0 and placed.means[2] == 2.0
    assert placed.means[:2].sum() == pytest.approx(7.0)
    assert (placed.lower[3], placed.upper[3]) == (1.0, 1.0)
    assert placed.lower[0] < placed.upper[0]
    assert (placed.lower <= placed.means).all() and (placed.means <= placed.upper).all()
    again = mean_ranks(methods, units, draws=300)
    assert (again.lower == placed.lower).all()


def test_a_methods_twin_always_shares_its_rank() -> None:
    methods, units = several()
    placed = mean_ranks([methods[0], methods[0], methods[3]], units, draws=200)
    assert placed.means.tolist() == [2.5, 2.5, 1.0]
    assert placed.lower.tolist() == placed.upper.tolist() == [2.5, 2.5, 1.0]


def test_ranks_do_not_follow_the_last_bit_of_a_sum() -> None:
    rng = np.random.default_rng(3)
    values = rng.random((2, 120))
    scores = [Scores(values, (0, 1)), Scores(values * (1 + 1e-15), (0, 1))]
    scores.append(Scores(rng.random((2, 120)), (0, 1)))
    placed = mean_ranks(scores, Units(np.repeat([0, 1], 60), np.arange(120)), draws=300)
    assert placed.means[0] == placed.means[1]
    assert (placed.lower[0], placed.upper[0]) == (placed.lower[1], placed.upper[1])


def test_which_pairs_cannot_be_told_apart() -> None:
    methods, units = several()
    apart = separated(methods, units)
    assert apart == {(0, 1): False, (0, 2): True, (0, 3): True, (1, 2): True, (1, 3): True,
                     (2, 3): True}  # fmt: skip
    means = mean_ranks(methods, units, draws=200).means
    assert [sorted(g) for g in groups(means, apart, [True] * 4)] == [[3], [2], [0, 1]]
    few, units = several(seeds=4)
    assert set(separated(few, units).values()) == {None}  # no verdict below five seeds
    assert groups(means, separated(few, units), [False] * 4) == []


def test_a_pair_of_another_family_is_told_apart_as_there() -> None:
    methods, units = several()
    known: dict[tuple[int, int], float | None] = {(0, 1): 0.001, (0, 2): 0.2, (0, 3): None}
    apart = separated(methods, units, known)
    assert (apart[0, 1], apart[0, 2], apart[0, 3]) == (True, False, None)
    assert apart[1, 2] and apart[2, 3]


def test_rows_that_do_the_same_cannot_be_told_apart_and_other_seeds_are_no_pair() -> None:
    methods, units = several()
    same = Scores(methods[0].values.copy(), methods[0].seeds)
    other = Scores(methods[1].values, tuple(range(10, 15)))
    apart = separated([methods[0], same, other], units)
    assert apart == {(0, 1): False, (0, 2): None, (1, 2): None}
