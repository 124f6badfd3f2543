"""Relative losses, their excess within a family, and rank correlations of two tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.agreement import agreement, kendall, spearman
from recmerge_bench.statistics.components import combined, take_apart
from recmerge_bench.statistics.relative import excesses, losses
from recmerge_bench.statistics.scores import Pair, Scores, Units, pair

#: Two domains; the first 300 users have targets in both.
UNITS = Units(np.repeat([0, 1], [500, 300]), np.concatenate([np.arange(500), np.arange(300)]))
SEEDS = (0, 1, 2, 3, 4)


def metric(level: float, seed: int, seeds: int = 5) -> np.ndarray:
    """Values as a ranking metric has them: mostly 0; float64 [S, T]."""
    rng = np.random.default_rng(seed)
    hit = rng.random((seeds, len(UNITS.domains))) < level
    return np.where(hit, rng.random(hit.shape), 0.0)


def both(first: np.ndarray, second: np.ndarray) -> Pair:
    names = SEEDS[: len(first)]
    return pair(Scores(first, names), Scores(second, names))


def test_a_loss_is_of_the_means_and_lies_within_its_interval() -> None:
    reference = metric(0.5, 0)
    [half, none, more] = losses(
        [both(0.5 * reference, reference), both(reference, reference),
         both(metric(0.3, 1), reference)], UNITS,
    )  # fmt: skip
    assert [half.loss, half.lower, half.upper] == pytest.approx([0.5] * 3)  # in every draw
    assert none.loss == none.lower == none.upper == 0
    kept = float(UNITS.mean(metric(0.3, 1)).mean())
    assert more.kept == pytest.approx(kept) and more.loss is not None
    assert more.loss == pytest.approx(1 - kept / float(UNITS.mean(reference).mean()))
    assert more.lower is not None and more.upper is not None
    assert more.lower < more.loss < more.upper


def test_the_interval_is_as_wide_as_users_make_it() -> None:
    """One seedless row: the spread over tables of other users, drawn by a loop."""
    first, second = metric(0.3, 1, 1), metric(0.5, 0, 1)
    one = Pair(first, second, ())
    [actual] = losses([one], UNITS, draws=2000)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(1000):
        # users are drawn; those of both domains bring both of their targets
        counts = np.bincount(rng.integers(500, size=500), minlength=500)[UNITS.users]
        kept, reference = (
            np.mean([np.average(v[0, c], weights=counts[c]) for c in UNITS.columns])
            for v in (first, second)
        )
        drawn.append(1 - kept / reference)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert actual.lower == pytest.approx(low, abs=0.02) and actual.upper == pytest.approx(
        high, abs=0.02
    )


def test_what_has_no_loss_or_no_interval() -> None:
    reference = metric(0.5, 0)
    [zero] = losses([both(reference, 0 * reference)], UNITS)
    assert zero.loss is None and zero.lower is None
    few = UNITS.take(np.arange(len(UNITS.domains)) < 520)  # 20 users of the second domain
    [small] = losses([both(reference[:, :520], reference[:, :520])], few)
    assert small.loss == 0 and small.lower is None and small.upper is None


def test_an_excess_is_the_difference_of_two_losses_and_is_judged() -> None:
    reference, rows = metric(0.8, 0), np.arange(len(UNITS.domains)) % 3 == 0
    noise = 0.5 + metric(0.6, 3) * 0.2
    worse = reference * noise * np.where(rows, 0.3, 0.9)
    alike = reference * noise
    family = excesses([both(worse, reference), both(alike, reference)], UNITS, rows, 0.01)
    first, second = family
    alone = losses([both(worse[:, rows], reference[:, rows])], UNITS.take(rows))[0]
    assert first.some.loss == pytest.approx(alone.loss) and first.others.loss is not None
    assert first.excess == pytest.approx(first.some.loss - first.others.loss)
    assert first.judgement.verdict == "better" and first.lower is not None and first.lower > 0.3
    assert second.judgement.verdict in ("undecided", "equivalent")
    assert second.lower is not None and second.upper is not None
    assert second.lower < 0 < second.upper
    ends = first.judgement.lower, first.judgement.upper
    assert ends == (pytest.approx(first.lower, abs=0.05), pytest.approx(first.upper, abs=0.05))


def test_an_excess_of_nothing_is_found_in_few_families() -> None:
    """The rows are drawn, so that losses do not differ: at 5 % about 2 of 40 are told apart."""
    wrong = 0
    for seed in range(40):
        rows = np.random.default_rng(seed).random(len(UNITS.domains)) < 0.3
        one = both(metric(0.4, 1000 + seed), metric(0.6, 2000 + seed))
        [actual] = excesses([one], UNITS, rows, 0.0, draws=50)
        wrong += actual.judgement.verdict != "undecided"
    assert wrong <= 6  # more than 6 of 40 at 5 %: 1 in 70


@pytest.mark.parametrize(
    ("first", "rows", "why"),
    [
        (metric(0.5, 1)[:3], np.arange(800) % 2 == 0, "3 of 5 seeds"),
        (metric(0.5, 1), np.arange(800) < 520, "20 of 30 users"),
        (metric(0.5, 1), np.zeros(800, bool), "0 of 30 users"),
        (metric(0.5, 0) * 0.5, np.arange(800) % 2 == 0, "nothing varies over seeds and users"),
    ],
)
def test_no_verdict_says_why(first: np.ndarray, rows: np.ndarray, why: str) -> None:
    [actual] = excesses([both(first, metric(0.5, 0)[: len(first)])], UNITS, rows, 0.01, draws=20)
    assert actual.judgement.verdict == "no verdict" and why in actual.judgement.reason


def test_domains_without_a_target_in_the_group_are_left_out() -> None:
    rows = np.arange(800) < 500  # all of the first domain, none of the second
    reference = metric(0.5, 0)
    [actual] = excesses([both(metric(0.5, 1), reference)], UNITS, rows, 0.01, draws=20)
    assert actual.judgement.verdict != "no verdict"
    assert actual.some.reference == pytest.approx(reference[:, :500].mean())
    assert actual.others.reference == pytest.approx(reference[:, 500:].mean())


def test_a_linear_value_has_the_components_of_its_difference() -> None:
    one, other = metric(0.5, 0), metric(0.4, 1)
    whole = take_apart(one - other, UNITS).components
    parts = [take_apart(v, UNITS) for v in (one, other)]
    made = combined(parts, [1.0, -1.0], float(whole.difference))
    for name in ("difference", "seed_variance", "users", "residual", "n_seeds"):
        assert getattr(made, name) == pytest.approx(getattr(whole, name)), name


def test_correlations_are_scipys() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 6, (2, 50, 9)).astype(float)
    taus, rhos = kendall(one, other), spearman(one, other)
    for n in range(50):
        assert taus[n] == pytest.approx(stats.kendalltau(one[n], other[n]).statistic)
        assert rhos[n] == pytest.approx(stats.spearmanr(one[n], other[n]).statistic)
    assert kendall(np.ones(4), np.arange(4.0)) == spearman(np.ones(4), np.arange(4.0)) == 0


def test_two_tables_agree_or_not() -> None:
    levels = (0.2, 0.3, 0.4, 0.5, 0.6)
    table = [Scores(metric(level, n), SEEDS) for n, level in enumerate(levels)]
    few = UNITS.take(np.arange(800) < 500)
    other = [Scores(s.values[:, :500], s.seeds) for s in table]
    same = agreement((table, UNITS), (other, few), draws=200)
    assert same.kendall.value == same.spearman.value == 1 and same.methods == 5
    assert same.users == 500 and same.kendall.lower > 0.7
    against = agreement((table, UNITS), (other[::-1], few), draws=200)
    assert against.kendall.value == against.spearman.value == -1 and against.kendall.upper < -0.7
    close = [Scores(metric(0.4, 10 + n), SEEDS) for n in range(5)]
    wide = agreement((table, UNITS), (close, UNITS), draws=200).kendall
    assert wide.upper - wide.lower > 0.5
    with pytest.raises(HandledError, match="three or more"):
        agreement((table[:2], UNITS), (other[:2], few))
