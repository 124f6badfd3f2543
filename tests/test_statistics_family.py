"""Families: Holm, resampling, effects, verdicts, and all of it together."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.comparison import Settings, compare_family
from recmerge_bench.statistics.components import Parts, take_apart
from recmerge_bench.statistics.effects import effect
from recmerge_bench.statistics.families import holm
from recmerge_bench.statistics.resampling import (
    bootstrap_draws,
    seed_weights,
    sign_flip,
    stretch_of,
    two_level_bootstrap,
    user_weights,
)
from recmerge_bench.statistics.scores import Scores, Units
from recmerge_bench.statistics.verdicts import verdict

QUICK = Settings(draws=400, flips=999)


def slow_holm(p: list[float]) -> list[float]:
    """The definition: the largest m - j + 1 times p_j of all that are no larger."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    found = [0.0] * len(p)
    for place, i in enumerate(order):
        found[i] = min(1.0, max((len(p) - j) * p[order[j]] for j in range(place + 1)))
    return found


@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.01, 0.05, 1.0])), max_size=12))
def test_holm_is_the_slow_one(p: list[float]) -> None:
    assert holm(p).tolist() == pytest.approx(slow_holm(p), rel=1e-12)


def test_holm_refuses_what_is_no_probability() -> None:
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            holm([0.5, bad])


def test_sign_flip_is_the_full_enumeration() -> None:
    rng = np.random.default_rng(2)
    values = np.round(rng.normal(0.3, 1.0, size=(3, 10)), 1)  # rounded: many equal sums
    flips = np.array(np.meshgrid(*[[-1, 1]] * 10)).reshape(10, -1)
    for row, p in zip(values, sign_flip(values, 20_000, 1), strict=True):
        exact = (np.abs(row @ flips) >= abs(row.sum()) - 1e-9).mean()
        assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4)
    theirs = stats.permutation_test(
        (values[0], np.zeros(10)), lambda a, b: (a - b).sum(), permutation_type="samples"
    )
    exact = (np.abs(values[0] @ flips) >= abs(values[0].sum()) - 1e-9).mean()
    assert theirs.pvalue == pytest.approx(exact, abs=1e-9)


def test_sign_flip_agrees_with_the_t_test_on_many_users() -> None:
    rng = np.random.default_rng(4)
    values = rng.choice([0.0, 0.0, 0.0, 0.0, 0.4, -0.4, 1.0, -1.0], size=(6, 2000))
    values[:, :20] += np.linspace(0, 2, 6)[:, None]
    p = sign_flip(values / 2000, 10_000, 0)
    assert p == pytest.approx(stats.ttest_1samp(values, 0.0, axis=1).pvalue, abs=0.02)
    assert sign_flip(np.zeros((1, 5)), 99, 0).tolist() == [1.0]
    assert sign_flip(np.ones((1, 60)), 99, 0).tolist() == [0.01]  # never 0


def test_the_bootstrap_is_the_slow_one() -> None:
    rng = np.random.default_rng(6)
    values, units = rng.normal(size=(4, 30)), Units.of_users(30)
    parts = take_apart(values, units)
    drawn = bootstrap_draws([parts], 300, 9)[0]
    users = np.concatenate(list(user_weights(30, 300, 9)))
    seeds = seed_weights(4, 300, 9)
    assert users.sum(axis=1).tolist() == [30.0] * 300
    assert seeds.sum(axis=1) == pytest.approx(np.ones(300))
    for n in range(300):
        shares = users[n] / 30
        plain = sum(seeds[n, s] * (shares * values[s]).sum() for s in range(4))
        middle = sum(seeds[n, s] * values[s].mean() for s in range(4))
        # users' part without bias: sqrt(U / (U - 1)) times what plain resampling does
        assert drawn[n] == pytest.approx(middle + np.sqrt(30 / 29) * (plain - middle), abs=1e-12)


def test_the_bootstrap_of_many_is_that_of_each() -> None:
    rng = np.random.default_rng(7)
    units = Units.of_users(40)
    parts = [take_apart(rng.normal(size=(s, 40)), units) for s in (2, 5, 1, 5)]
    together = two_level_bootstrap(parts, 300, seed=3)
    for part, ends in zip(parts, together, strict=True):
        assert two_level_bootstrap([part], 300, seed=3)[0] == pytest.approx(ends, abs=1e-12)
    turned = [Parts(-p.by_seed, -p.by_user, p.components) for p in parts]
    mirrored = -two_level_bootstrap(turned, 300, seed=3)[:, ::-1]
    assert mirrored == pytest.approx(together, abs=1e-12)
    assert two_level_bootstrap(parts, 300, seed=4) != pytest.approx(together, abs=1e-6)
    other = take_apart(rng.normal(size=(2, 39)), Units.of_users(39))
    with pytest.raises(HandledError, match="different users"):
        two_level_bootstrap([*parts, other])


def test_widening_is_to_the_t_interval_of_the_seeds() -> None:
    assert stretch_of(5, 0.95) == pytest.approx(np.sqrt(5 / 4) * stats.t.ppf(0.975, 4) / 1.959964)
    values = np.repeat(np.random.default_rng(3).normal(size=(12, 1)), 8, axis=1)
    parts = take_apart(values, Units.of_users(8))
    low, high = two_level_bootstrap([parts], 20_000, seed=1)[0]
    theirs = stats.ttest_1samp(values[:, 0], 0.0).confidence_interval()
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.12)


def test_effects() -> None:
    rng = np.random.default_rng(5)
    difference = np.concatenate([rng.normal(0.2, 1.0, 50), np.zeros(10), [1e-15]])
    found = effect(difference, Units.of_users(61))
    assert found.dz == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert (found.wins, found.ties) == ((difference[:50] > 0).sum(), 11)
    assert found.wins + found.ties + found.losses == 61
    assert effect(np.full(4, 0.5), Units.of_users(4)).dz is None
    error = np.sqrt((difference.var(ddof=1)) / 61)
    assert found.dz == pytest.approx(difference.mean() / error / np.sqrt(61))


@pytest.mark.parametrize(
    ("lower", "upper", "p", "margin", "seeds", "seeded", "expected"),
    [
        (0.02, 0.04, 0.001, 0.01, 5, True, "better"),
        (0.02, 0.04, 0.001, 0.01, 4, True, "undecided"),  # fewer than five seeds: never
        (0.02, 0.04, 0.001, 0.01, 1, True, "undecided"),
        (0.02, 0.04, 0.001, 0.01, 0, False, "better"),  # no seed is drawn at all
        (-0.04, -0.02, 0.001, 0.01, 5, True, "worse"),
        (-0.04, -0.02, 0.001, 0.01, 4, True, "undecided"),
        (0.02, 0.04, 0.06, 0.01, 5, True, "undecided"),  # not after Holm
        (0.02, 0.04, 0.05, 0.01, 5, True, "better"),
        (-0.005, 0.005, 1.0, 0.01, 5, True, "equivalent"),
        (-0.005, 0.005, 1.0, 0.01, 4, True, "undecided"),
        (0.001, 0.005, 0.001, 0.01, 5, True, "equivalent"),  # real, and does not matter
        (-0.005, 0.01, 1.0, 0.01, 5, True, "undecided"),  # touches the margin
        (-0.01, 0.005, 1.0, 0.01, 5, True, "undecided"),
        (0.005, 0.02, 0.001, 0.01, 5, True, "better"),
        (-0.02, 0.02, 0.001, 0.01, 5, True, "undecided"),  # p and interval disagree
        (0.0, 0.0, 1.0, 0.0, 5, True, "undecided"),  # a margin of nothing holds nothing
    ],
)
def test_verdicts(
    lower: float, upper: float, p: float, margin: float, seeds: int, seeded: bool, expected: str
) -> None:
    assert verdict(lower, upper, p, margin, seeds, seeded) == expected
    turned = {"better": "worse", "worse": "better"}.get(expected, expected)
    assert verdict(-upper, -lower, p, margin, seeds, seeded) == turned


def scores(rng: np.random.Generator, seeds: int, users: int, lift: float = 0.0) -> Scores:
    common = np.random.default_rng(0).normal(size=users)
    values = 10.0 + common + rng.normal(size=(seeds, users)) + lift
    return Scores(values + rng.normal(scale=0.02, size=(seeds, 1)), tuple(range(seeds)))


def test_a_family() -> None:
    rng = np.random.default_rng(11)
    units = Units(np.repeat([0, 1], [600, 300]), np.arange(900))
    base = scores(rng, 5, 900)
    family = {
        "better": scores(rng, 5, 900, 1.0),
        "worse": scores(rng, 5, 900, -1.0),
        "equal": scores(rng, 5, 900),
        "few": Scores(base.values[:3] + 1.0, (0, 1, 2)),
        "one": Scores(base.values[:1] + 1.0, (0,)),
        "constant": Scores(base.values.mean(axis=0, keepdims=True) + 2.0),
    }
    found = compare_family(family, base, units, QUICK)
    verdicts = {name: c.verdict for name, c in found.items()}
    assert verdicts == {
        "better": "better", "worse": "worse", "equal": "equivalent", "few": "undecided",
        "one": "undecided", "constant": "better",
    }  # fmt: skip
    assert found["one"].methods is None and found["one"].p_holm is None
    assert found["few"].seeds == (0, 1, 2) and found["constant"].seeds == (0, 1, 2, 3, 4)
    better = found["better"]
    assert better.methods is not None and better.p_holm is not None
    assert better.first - better.baseline == pytest.approx(better.methods.difference)
    assert better.relative == pytest.approx(better.methods.difference / better.baseline)
    p = [1.0 if c.methods is None else c.methods.p for c in found.values()]
    adjusted = [1.0 if c.p_holm is None else c.p_holm for c in found.values()]
    assert adjusted == pytest.approx(holm(p))
    assert better.bootstrap[0] == pytest.approx(better.methods.lower, abs=0.05)
    assert better.bootstrap[1] == pytest.approx(better.methods.upper, abs=0.05)
    assert better.sign_flip == pytest.approx(1 / 1000)
    assert found["equal"].sign_flip == pytest.approx(found["equal"].trained_models.p, abs=0.06)
    assert type(better.methods.p) is float and type(better.sign_flip) is float


def test_a_family_turns_with_its_sign() -> None:
    rng = np.random.default_rng(12)
    units = Units.of_users(300)
    a, b = scores(rng, 5, 300, 0.3), scores(rng, 5, 300)
    one, other = (compare_family({"x": x}, y, units, QUICK)["x"] for x, y in ((a, b), (b, a)))
    assert one.methods and other.methods
    assert one.methods.p == pytest.approx(other.methods.p, rel=1e-9)
    assert one.bootstrap == pytest.approx((-other.bootstrap[1], -other.bootstrap[0]), abs=1e-12)
    assert one.sign_flip == other.sign_flip
    assert (one.effect.wins, one.effect.losses) == (other.effect.losses, other.effect.wins)


def test_methods_without_seeds_are_compared_over_users() -> None:
    rng = np.random.default_rng(13)
    first, second = (Scores(rng.normal(m, 1, size=(1, 400))) for m in (10.0, 5.0))
    found = compare_family({"x": first}, second, Units.of_users(400), QUICK)["x"]
    assert found.methods is not None and found.methods.p == found.trained_models.p
    assert found.verdict == "better" and found.seeds == ()


def test_a_family_names_who_does_not_fit() -> None:
    base = Scores(np.ones((2, 5)), (1, 2))
    with pytest.raises(HandledError, match="knn and the baseline: 6 and 5 instances"):
        compare_family({"knn": Scores(np.ones((1, 6)))}, base, Units.of_users(5))
    with pytest.raises(HandledError, match="values of 5 instances, there are 6"):
        compare_family({"knn": Scores(np.ones((1, 5)))}, base, Units.of_users(6))
    assert compare_family({}, base, Units.of_users(5)) == {}


def test_importing_needs_numpy_alone() -> None:
    code = (
        "import sys, importlib, pkgutil, recmerge_bench.statistics as s\n"
        "for m in pkgutil.iter_modules(s.__path__): "
        "importlib.import_module('recmerge_bench.statistics.' + m.name)\n"
        "assert not {'scipy', 'torch', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
