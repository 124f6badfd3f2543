"""The order of events of one time."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from merit_builders import write_release
from recmerge_bench_plugins.datasets.amazon_merit.pairs import build, read_release
from recmerge_bench_plugins.datasets.amazon_merit.ties import break_ties

from recmerge_bench.data.codec import fingerprint
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions

ITEMS = {f"{d}{n}": Item(d) for d in "ab" for n in range(6)}
PINNED = [6, 1, 0, 2, 7, 3, 8, 9, 4, 10]


def events_of(built: Interactions, user: int) -> list[tuple[int, int]]:
    own = slice(built.offsets[user], built.offsets[user + 1])
    return list(zip(built.times[own].tolist(), built.items[own].tolist(), strict=True))


def tied(events: list[tuple[int, int]]) -> bool:
    return len(events) > 1 and events[-1][0] == events[-2][0]


@st.composite
def datasets(draw: st.DrawFn) -> Interactions:
    event = st.tuples(st.sampled_from("stuv"), st.sampled_from(list(ITEMS)), st.integers(0, 4))
    rows = [*draw(st.lists(event, max_size=40)), ("s", "a0", 0), ("s", "b0", 1)]
    users, items, times = zip(*rows, strict=True)
    columns = Columns(users, items, np.array(times, np.int64))
    return build_interactions(columns, ITEMS, ("a", "b"))


@given(datasets(), st.integers(0, 2**70))
def test_chance_moves_events_of_one_time_only(built: Interactions, seed: int) -> None:
    mixed = break_ties(built, "random", seed)
    assert np.array_equal(mixed.times, built.times)
    pairs = 0
    for user in range(built.n_users):
        before, after = events_of(built, user), events_of(mixed, user)
        assert sorted(before) == sorted(after)
        pairs += sum(len(list(day)) - 1 for _, day in groupby(before, lambda e: e[0]))
    assert mixed.report["neighbours_of_one_time"] == pairs
    again = break_ties(built, "random", seed)
    assert fingerprint(again) == fingerprint(mixed)


@given(datasets())
def test_users_with_a_tied_last_event_can_go(built: Interactions) -> None:
    kept = break_ties(built, "drop_tied_last_day")
    whole = {u: events_of(built, n) for n, u in enumerate(built.user_tokens)}
    assert {u: events_of(kept, n) for n, u in enumerate(kept.user_tokens)} == {
        u: events for u, events in whole.items() if not tied(events)
    }
    gone = sum(map(tied, whole.values()))
    assert kept.report["users_dropped_for_a_tied_last_event"] == gone
    assert kept.report["users_with_a_tied_last_event"] == gone
    assert kept.catalogue is built.catalogue
    same = break_ties(built, "asin")
    assert fingerprint(same) == fingerprint(built)
    assert same.report["users_with_a_tied_last_event"] == gone


def test_every_order_is_as_likely() -> None:
    users = [f"u{n}" for n in range(3000) for _ in range(3)]
    items = ["a0", "a1", "b0"] * 3000
    columns = Columns(users, items, np.zeros(9000, np.int64))
    built = build_interactions(columns, ITEMS, ("a", "b"))
    orders = break_ties(built, "random", 1).items.reshape(-1, 3)
    assert not np.array_equal(orders, break_ties(built, "random", 2).items.reshape(-1, 3))
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert (((counts - 500) ** 2) / 500).sum() < 20.5  # chi-squared, 5 degrees, 0.1 %


def test_pinned_order(tmp_path: Path) -> None:
    """A board says its tie rule: a change of what a seed gives must be seen."""
    built = build(read_release(*write_release(tmp_path)), ("food", "kitchen"))
    mixed = break_ties(built, "random", 7)
    key = np.random.SeedSequence(7).generate_state(2, np.uint64)
    chance = np.random.Philox(key=key).random_raw(len(built.items)).tolist()
    first = list(zip(built.times.tolist(), chance, built.items.tolist(), strict=True))[:10]
    assert mixed.items[:10].tolist() == [item for _, _, item in sorted(first)] == PINNED


def test_the_papers_rule_favours_the_second_domain(registry: Registry, shared: Path) -> None:
    target = registry.get("dataset", "amazon-merit").target
    root = shared / "data" / "merit"

    def first_domain_targets(**options: object) -> int:
        built = define(target, options).load(root)
        return int((built.items[built.offsets[1:] - 1] < 11_837).sum())

    assert first_domain_targets() == 2419
    by_chance = [first_domain_targets(tie_break="random", tie_seed=n) for n in range(3)]
    assert all(2900 < n < 3100 for n in by_chance)
    dropped = define(target, {"tie_break": "drop_tied_last_day"}).load(root)
    assert dropped.n_users == 7144 - 2275
