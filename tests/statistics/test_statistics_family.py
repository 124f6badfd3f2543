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
from recmerge_bench.statistics.claims import (
    Studentised,
    methods,
    of_methods,
    of_models,
    trained_models,
)
from recmerge_bench.statistics.comparison import Question, Settings, compare, compare_family
from recmerge_bench.statistics.components import Parts, take_apart
from recmerge_bench.statistics.effects import effect
from recmerge_bench.statistics.families import divisors, holm
from recmerge_bench.statistics.resampling import (
    bootstrap_draws,
    seed_weights,
    sign_flip,
    stretch_of,
    two_level_bootstrap,
    user_weights,
)
from recmerge_bench.statistics.scores import Scores, Units
from recmerge_bench.statistics.verdicts import judge, verdict

QUICK = Settings(draws=400, flips=999, margin=0.02)


def slow_holm(p: list[float]) -> list[float]:
    """The definition: the largest m - j + 1 times p_j of all that are no larger."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted = [0.0] * len(p)
    for place, i in enumerate(order):
        adjusted[i] = min(1.0, max((len(p) - j) * p[order[j]] for j in range(place + 1)))
    return adjusted


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
    size = effect(difference, Units.of_users(61))
    assert size.dz == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert (size.wins, size.ties) == ((difference[:50] > 0).sum(), 11)
    assert size.wins + size.ties + size.losses == 61
    assert effect(np.full(4, 0.5), Units.of_users(4)).dz is None
    error = np.sqrt((difference.var(ddof=1)) / 61)
    assert size.dz == pytest.approx(difference.mean() / error / np.sqrt(61))


def test_divisors_are_what_holm_multiplies_by() -> None:
    p = np.array([0.01, 0.04, 0.5, 0.011, 0.0])
    assert divisors(p).tolist() == pytest.approx([4, 2, 1, 0.04 / 0.011, 5])
    assert holm(p).tolist() == pytest.approx([0.04, 0.08, 0.5, 0.04, 0.0])
    assert divisors([]).tolist() == []


def normal(difference: float, error: float = 0.01) -> Studentised:
    """A test whose ratio is normal."""
    return Studentised(difference, error, lambda x: float(stats.norm.sf(x)),
                       lambda level: float(stats.norm.ppf(level)))  # fmt: skip


@pytest.mark.parametrize(
    ("difference", "p", "p_equivalent", "expected"),
    [
        (0.03, 0.001, 1.0, "better"),
        (0.03, 0.05, 1.0, "better"),
        (0.03, 0.051, 1.0, "undecided"),  # not after Holm
        (0.003, 0.001, 0.04, "equivalent"),  # real, and does not matter
        (0.003, 0.5, 0.05, "equivalent"),
        (0.003, 0.5, 0.06, "undecided"),
        (0.0, 1.0, 1.0, "undecided"),
    ],
)
def test_verdicts(difference: float, p: float, p_equivalent: float, expected: str) -> None:
    assert verdict(difference, p, p_equivalent) == expected
    turned = {"better": "worse"}.get(expected, expected)
    assert verdict(-difference, p, p_equivalent) == turned


@given(
    st.lists(st.tuples(st.floats(-0.08, 0.08), st.floats(0.001, 0.03)), min_size=1, max_size=9),
    st.floats(0.0, 0.08),
)
def test_the_interval_is_the_one_behind_the_verdict(
    members: list[tuple[float, float]], margin: float
) -> None:
    tests = [normal(*member) for member in members]
    judgements = judge(tests, [margin] * len(tests), [""] * len(tests))
    for test, one in zip(tests, judgements, strict=True):
        assert one.p is not None and one.lower is not None and one.upper is not None
        assert one.level is not None and 0.95 - 1e-12 <= one.level <= 1 - 0.05 / len(tests) + 1e-12
        assert one.lower < test.difference < one.upper
        if one.verdict == "equivalent":
            assert -margin - 1e-9 <= one.lower and one.upper <= margin + 1e-9
        else:
            assert (one.verdict == "better") == (one.lower > 0) or abs(one.lower) < 1e-9
            assert (one.verdict == "worse") == (one.upper < 0) or abs(one.upper) < 1e-9
    alone = judge(tests[:1], [margin], [""])[0]
    assert alone.level == pytest.approx(0.95)


def test_more_members_make_a_verdict_harder_and_those_without_one_count() -> None:
    test, others = normal(0.0235), [normal(0.0)] * 2
    words = []
    for count, expected in ((1, "better"), (2, "better"), (3, "undecided")):
        judgements = judge([test, *others][:count], [0.0] * count, [""] * count)
        assert judgements[0].verdict == expected
        words.append(judgements[0])
    assert [s.p for s in words] == pytest.approx([test.p, 2 * test.p, 3 * test.p])
    untested = judge([test, None, normal(9.0)], [0.0] * 3, ["", "", "3 of 5 seeds"])
    assert [str(s) for s in untested] == [
        "undecided", "no verdict (nothing to test)", "no verdict (3 of 5 seeds)"
    ]  # fmt: skip
    assert untested[0].p == pytest.approx(3 * test.p)
    assert {untested[2].p, untested[2].level, untested[2].lower, untested[2].upper} == {None}


def test_equivalence_is_adjusted_too() -> None:
    near = normal(0.0, 0.01)
    assert judge([near], [0.02], [""])[0].verdict == "equivalent"
    # three members, none of which is surely within: the first has to pass at a third of the level
    judgements = judge([near, normal(0.015), normal(0.015)], [0.02] * 3, [""] * 3)
    assert judgements[0].verdict == "undecided"
    assert judge([near] * 3, [0.02] * 3, [""] * 3)[0].verdict == "undecided"


def test_what_is_tested_is_the_claim() -> None:
    rng = np.random.default_rng(8)
    for seeds, users in ((1, 50), (5, 50), (7, 400)):
        shift = rng.normal(scale=0.1, size=(seeds, 1))
        parts = take_apart(rng.normal(0.1, 1, size=(seeds, users)) + shift, Units.of_users(users))
        for test, claim in (
            (of_models(parts.components), trained_models(parts.components)),
            (of_methods(parts.components), methods(parts.components)),
        ):
            assert test.p == pytest.approx(float(claim.p), rel=1e-12)
            assert test.interval(0.95) == pytest.approx((claim.lower, claim.upper), rel=1e-12)
            for margin in (0.01, 0.2, 0.5):
                p = test.equivalence_p(margin)
                if not 1e-6 < p < 0.999:
                    continue
                low, high = test.interval(1 - p)
                assert max(-low, high) == pytest.approx(margin, rel=1e-6)


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
        "few": scores(rng, 3, 900, 1.0),
        "one": scores(rng, 1, 900, 1.0),
        "unseeded": Scores(scores(rng, 1, 900, 2.0).values),
        "alike": Scores(base.values + np.arange(5)[:, None] + 1.0, base.seeds),
        "same": base,
    }
    comparison = compare_family(family, base, units, QUICK)
    verdicts = {name: str(c.about_methods) for name, c in comparison.items()}
    assert verdicts == {
        "better": "better", "worse": "worse", "equal": "equivalent", "unseeded": "better",
        "few": "no verdict (3 of 5 seeds)", "one": "no verdict (1 of 5 seeds)",
        "alike": "no verdict (every user differs alike)", "same": "no verdict (no user differs)",
    }  # fmt: skip
    assert comparison["one"].methods is None and comparison["one"].about_methods.p is None
    models = {name: str(c.about_models) for name, c in comparison.items()}
    assert models == {**verdicts, "few": "better", "one": "better"}
    for none in (comparison["alike"], comparison["same"]):  # nothing without a width, nowhere
        assert (none.trained_models, none.methods, none.sign_flip, none.bootstrap) == (None,) * 4
        assert none.effect.dz is None and none.difference == pytest.approx(none.first - 10, abs=1)
    assert comparison["few"].seeds == (0, 1, 2) and comparison["unseeded"].seeds == (0, 1, 2, 3, 4)
    better = comparison["better"]
    assert better.methods is not None and better.bootstrap is not None
    assert better.first - better.baseline == pytest.approx(better.methods.difference)
    assert better.relative == pytest.approx(better.difference / better.baseline)
    for claim in ("about_methods", "about_models"):
        which = "methods" if claim == "about_methods" else "trained_models"
        claims = [getattr(c, which) for c in comparison.values()]
        judged = [getattr(c, claim) for c in comparison.values()]
        p = [1.0 if j.p is None or c is None else c.p for j, c in zip(judged, claims, strict=True)]
        assert [1.0 if j.p is None else j.p for j in judged] == pytest.approx(holm(p))
    assert better.bootstrap[0] == pytest.approx(better.methods.lower, abs=0.05)
    assert better.bootstrap[1] == pytest.approx(better.methods.upper, abs=0.05)
    assert better.sign_flip == pytest.approx(1 / 1000)
    equal = comparison["equal"]
    assert equal.trained_models
    assert equal.sign_flip == pytest.approx(equal.trained_models.p, abs=0.06)
    assert type(better.methods.p) is float and type(better.sign_flip) is float
    assert type(better.about_methods.p) is float and type(better.about_methods.lower) is float


@pytest.mark.parametrize("users", [1, 2, 3, 29, 30])
def test_too_few_users_give_no_verdict(users: int) -> None:
    rng = np.random.default_rng(3)
    units = Units(np.repeat([0, 1], [200, users]), np.arange(200 + users))
    first, second = (scores(rng, 5, 200 + users, lift) for lift in (3.0, 0.0))
    comparison = compare_family({"x": first}, second, units, QUICK)["x"]
    expected = "better" if users == 30 else f"no verdict ({users} of 30 users)"
    assert str(comparison.about_methods) == str(comparison.about_models) == expected
    assert (comparison.trained_models is None) == (comparison.sign_flip is None) == (users < 30)
    assert comparison.difference == pytest.approx(3.0, abs=1.0)
    few = compare_family({"x": scores(rng, 2, 200 + users, 3.0)}, second, units, QUICK)["x"]
    reasons = ", ".join(["2 of 5 seeds", f"{users} of 30 users"][: 1 + (users < 30)])
    assert str(few.about_methods) == f"no verdict ({reasons})"


def test_a_spread_of_seeds_that_users_undo_is_none() -> None:
    """Users' error below what seeds and users make together, and seeds that agree: no variance."""
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(5, 40))
    noise -= noise.mean(axis=1, keepdims=True)
    noise -= 0.95 * noise.mean(axis=0, keepdims=True)
    comparison = compare_family({"x": Scores(1 + noise, tuple(range(5)))},
                           Scores(np.zeros((1, 40))), Units.of_users(40), QUICK)["x"]  # fmt: skip
    assert comparison.methods is None and comparison.trained_models is not None
    assert str(comparison.about_methods) == "no verdict (nothing varies over seeds and users)"


def test_a_family_may_be_of_several_instances_and_baselines() -> None:
    rng = np.random.default_rng(5)
    units, other = Units.of_users(300), Units.of_users(200)
    questions = {
        ("a", 1): Question(scores(rng, 5, 300, 1.0), scores(rng, 5, 300), units),
        ("b", 2): Question(scores(rng, 5, 200, 0.0), scores(rng, 5, 200), other),
        ("c", 3): Question(scores(rng, 5, 300, 0.2), scores(rng, 5, 300), units),
    }
    comparison = compare(questions, QUICK)
    alone = {name: compare({name: question}, QUICK)[name] for name, question in questions.items()}
    claims = [one.methods for one in alone.values()]
    assert [one.methods for one in comparison.values()] == claims
    adjusted = holm([c.p for c in claims if c is not None])
    assert [one.about_methods.p for one in comparison.values()] == pytest.approx(adjusted)
    assert [o.bootstrap for o in comparison.values()] == [
        pytest.approx(o.bootstrap, abs=1e-12) for o in alone.values()
    ]


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
    comparison = compare_family({"x": first}, second, Units.of_users(400), QUICK)["x"]
    assert comparison.methods and comparison.trained_models
    assert comparison.methods.p == comparison.trained_models.p
    assert comparison.about_methods.verdict == "better" and comparison.seeds == ()


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
