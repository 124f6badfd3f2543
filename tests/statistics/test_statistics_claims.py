"""Claims against scipy and against slow references; what may not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.statistics.claims import (
    Claim,
    methods,
    methods_p,
    satterthwaite,
    satterthwaite_df,
    seed_weight,
    seeds_alone,
    trained_models,
)
from recmerge_bench.statistics.components import Components, take_apart
from recmerge_bench.statistics.distributions import mixture_quantile, mixture_tail, t_quantile
from recmerge_bench.statistics.published import TESTS, published_test
from recmerge_bench.statistics.scores import Scores, Units, pair

EXACT = 1e-12


def ndcg_like(rng: np.random.Generator, seeds: int, instances: int) -> np.ndarray:
    """Mostly zeros, else one of ten values."""
    rank = rng.integers(1, 40, size=(seeds, instances))
    return np.where(rank <= 10, 1 / np.log2(rank + 1.0), 0.0)


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Differences [S, U] of realistic size, never constant."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    seeds, users = draw(st.integers(2, 6)), draw(st.integers(3, 40))
    actual = ndcg_like(rng, seeds, users) - ndcg_like(rng, seeds, users)
    return actual + rng.normal(scale=1e-3, size=actual.shape)


def claims_of(values: np.ndarray, units: Units | None = None) -> list[Claim]:
    components = take_apart(values, units or Units.of_users(values.shape[1])).components
    return [f(components) for f in (trained_models, seeds_alone, satterthwaite, methods)]


def close(ours: Claim, theirs: Claim, rel: float = 1e-9) -> bool:
    return all(
        getattr(ours, k) == pytest.approx(getattr(theirs, k), rel=rel, abs=1e-13)
        for k in ("difference", "error", "df", "p", "lower", "upper")
    )


@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(4, 300))
def test_trained_models_is_scipys_paired_t_test(seed: int, seeds: int, users: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (ndcg_like(rng, seeds, users) + rng.normal(size=users) for _ in range(2))
    ours = trained_models(take_apart(first - second, Units.of_users(users)).components)
    theirs = stats.ttest_rel(first.mean(axis=0), second.mean(axis=0))
    ends = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue, rel=EXACT, abs=EXACT)
    assert ours.difference / ours.error == pytest.approx(theirs.statistic, rel=EXACT, abs=EXACT)
    assert (ours.lower, ours.upper) == pytest.approx((ends.low, ends.high), rel=EXACT, abs=EXACT)
    assert ours.df == pytest.approx(users - 1, rel=EXACT)


@given(tables())
def test_seeds_alone_is_scipys_t_test_of_the_seeds_means(values: np.ndarray) -> None:
    ours = claims_of(values)[1]
    theirs = stats.ttest_1samp(values.mean(axis=1), 0.0)
    assert ours.p == pytest.approx(theirs.pvalue, rel=EXACT, abs=EXACT)


def test_two_domains_are_scipys_welch_test() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.1, 1.0, 30), rng.normal(0.2, 3.0, 12)
    units = Units(np.repeat([0, 1], [30, 12]), np.arange(42))
    ours = trained_models(take_apart(np.concatenate([a, b])[None], units).components)
    theirs = stats.ttest_ind(a, -b, equal_var=False)  # mean(a) + mean(b), twice our mean
    assert ours.p == pytest.approx(theirs.pvalue, rel=EXACT)
    assert ours.df == pytest.approx(theirs.df, rel=EXACT)


@given(tables())
def test_components_are_those_of_the_two_way_table(values: np.ndarray) -> None:
    seeds, users = values.shape
    grand = values.mean()
    of_seed = users * sum((row.mean() - grand) ** 2 for row in values) / (seeds - 1)
    of_user = seeds * sum((col.mean() - grand) ** 2 for col in values.T) / (users - 1)
    rest = sum(
        (values[s, u] - values[s].mean() - values[:, u].mean() + grand) ** 2
        for s in range(seeds)
        for u in range(users)
    ) / ((seeds - 1) * (users - 1))
    components = take_apart(values, Units.of_users(users)).components
    total = seeds * users
    assert components.seed_variance == pytest.approx(of_seed / total, rel=1e-9)
    assert components.users == pytest.approx(of_user / total, rel=1e-9)
    assert components.residual == pytest.approx(rest / total, rel=1e-9)
    if of_user >= rest:
        assert components.variance == pytest.approx((of_seed + of_user - rest) / total, rel=1e-9)
    else:
        assert (
            components.variance == components.seed_variance
        )  # never less than what the seeds alone say
    mean_squares = np.array([of_seed, of_user, rest])
    freedom = np.array([seeds - 1, users - 1, (seeds - 1) * (users - 1)])
    df = (components.variance * total) ** 2 / (mean_squares**2 / freedom).sum()
    assert satterthwaite_df(components) == pytest.approx(df, rel=1e-9)
    theirs = 2 * stats.t.sf(abs(grand) / np.sqrt(components.variance), df)
    assert satterthwaite(components).p == pytest.approx(theirs, rel=1e-9, abs=EXACT)


@given(tables())
def test_the_methods_claim_is_the_mixture_that_it_says(values: np.ndarray) -> None:
    components = take_apart(values, Units.of_users(values.shape[1])).components
    ours, n = methods(components), len(values)
    share = components.seed_variance / components.variance
    weight = share ** (2 - 1.5 / (n - 1))
    t = abs(components.difference) / np.sqrt(components.variance)
    tails = stats.t.sf(t, n - 1), stats.t.sf(t, values.shape[1] - 1)
    assert ours.p == pytest.approx(2 * (weight * tails[0] + (1 - weight) * tails[1]), abs=EXACT)
    assert ours.p == methods_p(components)
    assert (ours.p < 0.05) == (ours.lower > 0 or ours.upper < 0) or ours.p == pytest.approx(0.05)


def test_many_comparisons_at_once_are_the_single_ones() -> None:
    rng = np.random.default_rng(5)
    values = ndcg_like(rng, 4, 50 * 7).reshape(7, 4, 50) - 0.1
    units = Units.of_users(50)
    together = take_apart(values, units).components
    for n, one in enumerate(values):
        alone = take_apart(one, units).components
        for claim in (trained_models, seeds_alone, satterthwaite, methods):
            assert np.asarray(claim(together).p)[n] == pytest.approx(claim(alone).p, rel=1e-12)
            assert np.asarray(claim(together).upper)[n] == pytest.approx(claim(alone).upper)


@given(tables())
def test_claims_turn_with_the_sign(values: np.ndarray) -> None:
    for ours, turned in zip(claims_of(values), claims_of(-values), strict=True):
        back = Claim(
            -turned.difference, turned.error, turned.df, turned.p, -turned.upper, -turned.lower
        )
        assert close(ours, back)


@given(tables(), st.floats(1e-3, 1e3))
def test_claims_scale(values: np.ndarray, factor: float) -> None:
    for ours, scaled in zip(claims_of(values), claims_of(values * factor), strict=True):
        assert scaled.p == pytest.approx(ours.p, rel=1e-9)
        assert scaled.df == pytest.approx(ours.df, rel=1e-9)
        assert scaled.upper == pytest.approx(ours.upper * factor, rel=1e-9, abs=1e-12)


@given(tables(), st.randoms())
def test_the_order_of_users_and_seeds_does_not_matter(values: np.ndarray, draw: object) -> None:
    shuffled = np.random.default_rng(draw.getrandbits(32))  # type: ignore[attr-defined]
    moved = values[shuffled.permutation(len(values))][:, shuffled.permutation(values.shape[1])]
    for ours, other in zip(claims_of(values), claims_of(moved), strict=True):
        assert close(ours, other)


def test_instances_of_one_user_stand_together() -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(size=(3, 40))
    doubled = np.repeat(values, 2, axis=1)
    twice = Units(np.zeros(80, int), np.repeat(np.arange(40), 2))
    for ours, other in zip(claims_of(values), claims_of(doubled, twice), strict=True):
        assert close(ours, other)


def test_users_in_two_domains_are_drawn_once() -> None:
    rng = np.random.default_rng(9)
    first, second = rng.normal(size=(2, 1, 50))
    units = Units(np.repeat([0, 1], 50), np.concatenate([np.arange(50), rng.permutation(50)]))
    order = np.argsort(units.users[50:])
    joined = (first[0] + second[0][order]) / 2  # one value a user: the mean of both domains
    ours = trained_models(take_apart(np.concatenate([first, second], axis=1), units).components)
    theirs = stats.ttest_1samp(joined, 0.0)
    assert ours.error == pytest.approx(stats.sem(joined), rel=EXACT)
    assert ours.difference / ours.error == pytest.approx(theirs.statistic, rel=EXACT)


def test_domains_weigh_alike() -> None:
    units = Units(np.repeat([4, 7], [10, 1000]), np.arange(1010))
    values = np.repeat([1.0, 0.0], [10, 1000])[None]
    assert take_apart(values, units).components.difference == 0.5


@pytest.mark.parametrize("seeds", [1, 3])
def test_without_any_spread(seeds: int) -> None:
    units = Units.of_users(6)
    for value, p in ((0.0, 1.0), (0.25, 0.0)):
        claim = methods(take_apart(np.full((seeds, 6), value), units).components)
        assert (claim.p, claim.lower, claim.upper) == (p, value, value)


def test_seeds_that_change_nothing_leave_the_users_test() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=(1, 30)), 5, axis=0)
    users, _, _, both = claims_of(values)
    assert both.p == pytest.approx(users.p, rel=1e-9)


def test_users_that_all_agree_leave_the_seeds_test() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=(5, 1)), 30, axis=1)
    _, seeds, _, both = claims_of(values)
    assert both.p == pytest.approx(seeds.p, rel=1e-9)
    assert both.upper == pytest.approx(seeds.upper, rel=1e-9)


@given(st.floats(0, 1), st.integers(1, 30), st.floats(2, 1e5), st.floats(0.6, 0.999))
def test_mixture_quantiles_invert_the_tail(
    weight: float, df: int, other: float, level: float
) -> None:
    x = mixture_quantile(level, weight, df, other)
    assert mixture_tail(x, weight, df, other) == pytest.approx(1 - level, rel=1e-9)


@given(st.floats(0.5, 0.9999), st.floats(1, 1e5))
def test_t_quantiles_are_scipys(level: float, df: float) -> None:
    assert t_quantile(level, df) == pytest.approx(stats.t.ppf(level, df), rel=EXACT, abs=EXACT)


def test_weights_tend_to_satterthwaites() -> None:
    for seeds, power in ((2, 0.5), (3, 1.25), (4, 1.5), (5, 1.625), (1501, 1.999)):
        components = Components(0.1, 1.0, 3.0, 0.0, seeds, 1e9)
        assert seed_weight(components) == pytest.approx(0.25**power)
    assert seed_weight(components) == pytest.approx(
        (seeds - 1) / satterthwaite_df(components), rel=0.01
    )
    assert seed_weight(Components(0.1, 0.0, 3.0, 0.0, 1, 100)) == 0


@given(st.integers(0, 1000), st.integers(2, 10))
def test_the_papers_tests_are_scipys(seed: int, seeds: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, seeds))
    expected = {
        "paired-t-over-seeds": stats.ttest_rel(first, second).pvalue,
        "one-tailed-t-over-seeds": stats.ttest_rel(first, second, alternative="greater").pvalue,
    }
    assert set(expected) == set(TESTS)
    for name, p in expected.items():
        assert published_test(name, first, second) == pytest.approx(p, rel=EXACT, abs=EXACT)
    constant = stats.ttest_1samp(first, 0.3, alternative="greater").pvalue
    ours = published_test("one-tailed-t-over-seeds", first, np.array([0.3]))
    assert ours == pytest.approx(constant, rel=EXACT, abs=EXACT)


def test_the_papers_tests_say_what_is_wrong() -> None:
    with pytest.raises(HandledError, match="did you mean 'paired-t-over-seeds'"):
        published_test("paired-t-over-seed", np.ones(5), np.ones(5))
    with pytest.raises(HandledError, match="5 and 4 seeds do not pair"):
        published_test("paired-t-over-seeds", np.ones(5), np.ones(4))


def test_seeds_pair_by_name() -> None:
    first = Scores(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), (1, 2, 3))
    second = Scores(np.array([[30.0, 40.0], [10.0, 20.0]]), (3, 1))
    both = pair(first, second)
    assert both.seeds == (3, 1)
    assert both.first.tolist() == [[5.0, 6.0], [1.0, 2.0]]
    constant = Scores(np.array([[7.0, 8.0]]))
    assert pair(first, constant).second.tolist() == [[7.0, 8.0]] * 3
    assert pair(constant, first).seeds == (1, 2, 3)
    assert not pair(constant, constant).seeded


def test_bad_scores_are_refused() -> None:
    with pytest.raises(HandledError, match="one row for each seed"):
        Scores(np.ones((2, 5)))
    with pytest.raises(HandledError, match="one row for each seed"):
        Scores(np.ones((2, 5)), (1, 1))
    with pytest.raises(DataError, match="row 0, instance 1"):
        Scores(np.array([[0.0, np.nan]]))
    with pytest.raises(HandledError, match="no seed in common"):
        pair(Scores(np.ones((1, 5)), (1,)), Scores(np.ones((1, 5)), (2,)))
    with pytest.raises(HandledError, match="5 and 6 instances"):
        pair(Scores(np.ones((1, 5))), Scores(np.ones((1, 6))))
    with pytest.raises(HandledError, match="two users or more"):
        take_apart(np.ones((1, 3)), Units(np.array([0, 0, 1]), np.arange(3)))
    with pytest.raises(HandledError, match="no test instance"):
        Units(np.zeros(0, np.int64), np.zeros(0, np.int64))
