"""Means and spreads as the standard library rounds them, to the last bit."""

from __future__ import annotations

import random
import statistics
from fractions import Fraction

import pytest

from recmerge_bench.statistics.exact import mean, stdev


def test_they_are_those_of_the_standard_library() -> None:
    rng = random.Random(17)
    for _ in range(3000):
        size = 10.0 ** rng.randint(-300, 300)
        values = [rng.choice((1, -1)) * rng.random() * size for _ in range(rng.randint(2, 9))]
        assert mean(values) == statistics.mean(values)
        if 1e-150 < size < 1e150:
            assert stdev(values) == statistics.stdev(values)


@pytest.mark.parametrize(
    "values", [[0.1] * 3, [0.0, -0.0], [1.0, 2.0], [5e-324, 5e-324], [1e16, 1.0, -1e16], [2, 3, 5]]
)
def test_edges(values: list[float]) -> None:
    assert mean(values) == statistics.mean(values)
    assert stdev(values) == statistics.stdev(map(float, values))


def test_too_few() -> None:
    with pytest.raises(ZeroDivisionError):
        mean([])
    with pytest.raises(ZeroDivisionError):
        stdev([1.0])


def test_values_of_like_size_and_zeros() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        count = rng.randint(2, 30)
        size = 10.0 ** rng.randint(-12, 12)
        values = [rng.choice((0.0, -0.0, size * rng.random(), -rng.random())) for _ in range(count)]
        assert mean(values) == statistics.mean(values)
        assert stdev(values) == statistics.stdev(values)
        whole = [rng.randint(-(1 << 60), 1 << 60) for _ in range(count)]
        assert mean(whole) == float(statistics.mean(map(Fraction, whole)))
        assert mean([*whole, 0.5]) == float(statistics.mean(map(Fraction, [*whole, 0.5])))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite(value: float) -> None:
    for values in ([value, 1.0], [1.0, value, 2.0]):
        with pytest.raises((ValueError, OverflowError)):
            mean(values)
