"""Averages over time, against numbers worked out by hand and one update after the other."""

from __future__ import annotations

import pytest
import torch
from recmerge_bench_plugins.strategies.recency import (
    ExponentialAverage,
    ExponentialOptions,
    Options,
    RecencyAverage,
)

from recmerge_bench.definitions import Expert
from recmerge_bench.errors import HandledError
from recmerge_bench.tiers import MergeInput

VALUES = (8.0, 4.0, 16.0)


def given(base: float = 0.0) -> MergeInput:
    experts = tuple(
        Expert(f"phase-{n}", {"w": torch.full((2,), value)}) for n, value in enumerate(VALUES)
    )
    return MergeInput({"w": torch.full((2,), base)}, experts, 0)


def test_later_models_weigh_more() -> None:
    """1/4, 1/2 and 1 of 8, 4 and 16, divided by 7/4."""
    merged = RecencyAverage(Options(decay=0.5)).merge(given())["w"]
    assert merged.tolist() == pytest.approx([(2 + 2 + 16) / 1.75] * 2, rel=1e-6)


def test_a_decay_of_one_is_the_plain_mean_and_the_base_may_count() -> None:
    assert RecencyAverage(Options(decay=1.0)).merge(given())["w"][0] == pytest.approx(28 / 3)
    whole = RecencyAverage(Options(decay=1.0, base=True)).merge(given(12.0))["w"][0]
    assert whole == pytest.approx(10.0)


def test_the_sum_is_one_update_after_the_other() -> None:
    kept = 3.0
    for value in VALUES:
        kept = 0.7 * kept + 0.3 * value
    merged = ExponentialAverage(ExponentialOptions(rate=0.3)).merge(given(3.0))["w"]
    assert merged.tolist() == pytest.approx([kept] * 2, rel=1e-6)


@pytest.mark.parametrize("strategy", [
    RecencyAverage(Options(decay=0.0)), ExponentialAverage(ExponentialOptions(rate=0.0)),
    ExponentialAverage(ExponentialOptions(rate=1.5)),
])  # fmt: skip
def test_what_is_no_average_is_refused(
    strategy: RecencyAverage | ExponentialAverage,
) -> None:
    with pytest.raises(HandledError):
        strategy.merge(given())
