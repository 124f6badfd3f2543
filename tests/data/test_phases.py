"""Phases: equal events, nothing held out is trained on, nothing of the future is seen."""

from __future__ import annotations

import numpy as np
import pytest

from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.phases import PhaseRules, entered, phase_split, phases_of
from recmerge_bench.data.sequences import Split
from recmerge_bench.errors import DataError, HandledError

USERS, EACH, ITEMS, COUNT = 60, 20, 40, 5


@pytest.fixture(scope="module")
def events() -> Interactions:
    """Users whose events lie anywhere in time; an item is unique within a user."""
    rng = np.random.default_rng(3)
    items = np.concatenate([rng.permutation(ITEMS)[:EACH] for _ in range(USERS)])
    times = np.concatenate([np.sort(rng.integers(0, 10_000, EACH)) for _ in range(USERS)])
    catalogue = Catalogue(
        ("d",), np.array([0, ITEMS]), [str(i) for i in range(ITEMS)], [""] * ITEMS
    )
    return Interactions(
        np.arange(USERS + 1, dtype=np.int64) * EACH, items.astype(np.int32), times,
        [f"u{n}" for n in range(USERS)], catalogue,
    )  # fmt: skip


def when(events: Interactions, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    at = {
        (u, int(i)): int(t)
        for u in range(USERS)
        for i, t in zip(
            events.items[u * EACH : (u + 1) * EACH], events.times[u * EACH : (u + 1) * EACH],
            strict=True,
        )
    }  # fmt: skip
    return np.array([at[int(u), int(i)] for u, i in zip(users, items, strict=True)])


def trained(split: Split) -> set[tuple[int, int]]:
    s = split.sequences
    return {
        (int(s.users[n]), int(i))
        for n in range(len(s))
        for i in s.items[s.offsets[n] : s.offsets[n] + s.train_end[n]]
    }


def targets(split: Split) -> set[tuple[int, int]]:
    return set(zip(split.test.users.tolist(), split.test.targets.tolist(), strict=True))


RULES = PhaseRules(COUNT, targets=2, valid_share=0.3, test_share=0.5)


def test_phases_have_equally_many_events() -> None:
    times = np.arange(100)[::-1].copy()
    assert np.bincount(phases_of(times, 4)).tolist() == [0, 25, 25, 25, 25]
    assert phases_of(times, 4)[0] == 4
    with pytest.raises(DataError, match="too many have one time"):
        phases_of(np.zeros(10, np.int64), 2)


def test_no_training_event_is_later_than_a_target(events: Interactions) -> None:
    split = phase_split(events, ("d",), RULES, 1, 2, COUNT)
    users, items = (np.array(c) for c in zip(*sorted(trained(split)), strict=True))
    latest = when(events, users, items).max()
    assert latest < when(events, split.test.users, split.test.targets).min()


def test_what_is_held_out_in_any_phase_is_trained_on_in_none(events: Interactions) -> None:
    tested = targets(phase_split(events, ("d",), RULES, 1, 1, COUNT))
    for first, last in ((1, 1), (2, 2), (1, 4), (3, 4)):
        split = phase_split(events, ("d",), RULES, first, last, last + 1)
        validated = set(zip(split.valid.users.tolist(), split.valid.targets.tolist(), strict=True))
        assert validated and not trained(split) & (tested | validated)
        assert targets(split) <= tested


def test_trainings_of_all_phases_are_those_of_each(events: Interactions) -> None:
    whole = trained(phase_split(events, ("d",), RULES, 1, 4, 5))
    parts = [trained(phase_split(events, ("d",), RULES, p, p, p + 1)) for p in range(1, 5)]
    assert whole == set().union(*parts) and sum(map(len, parts)) == len(whole)


def test_each_target_has_its_phase(events: Interactions) -> None:
    split = phase_split(events, ("d",), RULES, 1, 2, COUNT)
    assert split.phases is not None and set(split.phases.tolist()) == {3, 4, 5}
    at = when(events, split.test.users, split.test.targets)
    for phase in (3, 4):
        assert at[split.phases == phase].max() <= at[split.phases == phase + 1].min()


def test_items_enter_with_the_first_phase_that_trains_on_them(events: Interactions) -> None:
    splits = [phase_split(events, ("d",), RULES, p, p, p + 1) for p in (1, 2)]
    first = entered(splits, ITEMS)
    items = [{i for _, i in trained(split)} for split in splits]
    assert {int(i) for i in np.flatnonzero(first == 1)} == items[0]
    assert {int(i) for i in np.flatnonzero(first == 2)} == items[1] - items[0]


@pytest.mark.parametrize("span", [(0, 1, 2), (2, 1, 3), (1, 3, 3), (1, 4, 6)])
def test_spans_that_are_none_are_refused(events: Interactions, span: tuple[int, int, int]) -> None:
    with pytest.raises(HandledError):
        phase_split(events, ("d",), RULES, *span)


@pytest.mark.parametrize("wrong", [
    {"count": 1}, {"targets": 0}, {"valid_share": 0.6, "test_share": 0.6}, {"test_share": 0.0},
])  # fmt: skip
def test_rules_that_hold_out_nothing_or_all_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(HandledError):
        PhaseRules(**{"count": 4, **wrong})  # type: ignore[arg-type]
