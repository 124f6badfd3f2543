"""Order of events, numbering, repeats and the k-core, against slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import DataError
from recmerge_bench.toolkit.data.build import Columns, Item, build_interactions, k_core, natural

ITEMS = {str(n): Item("b" if n % 2 else "a", f"text {n}") for n in (10, 9, 2, 1)}
EVENTS = st.lists(
    st.tuples(st.sampled_from(["u2", "u10", "7", "12"]), st.sampled_from(list(ITEMS)),
              st.integers(-3, 3)),
    max_size=25,
)  # fmt: skip
EDGES = [("u2", "1", 0), ("u2", "2", 0)]  # so that both domains have an event


def build(events: list[tuple[str, str, int]], **options: object) -> Interactions:
    users, items, times = zip(*events, strict=True)
    columns = Columns(list(users), list(items), np.array(times, np.int64))
    return build_interactions(columns, ITEMS, ["b", "a"], **options)  # type: ignore[arg-type]


def by_user(built: Interactions) -> dict[str, list[tuple[str, int]]]:
    events = {}
    for u, token in enumerate(built.user_tokens):
        part = slice(built.offsets[u], built.offsets[u + 1])
        tokens = [built.catalogue.tokens[i] for i in built.items[part]]
        events[token] = list(zip(tokens, built.times[part].tolist(), strict=True))
    return events


@given(EVENTS)
def test_events_are_in_time_and_ties_in_file_order(rows: list[tuple[str, str, int]]) -> None:
    events = rows + EDGES
    expected: dict[str, list[tuple[str, int]]] = {}
    for user, item, time in sorted(events, key=lambda e: e[2]):  # Python's sort is stable
        expected.setdefault(user, []).append((item, time))
    assert by_user(build(events)) == expected


@given(EVENTS, st.data())
def test_numbering_does_not_depend_on_the_order_of_rows(
    rows: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    events = rows + EDGES
    one, two = build(events), build(data.draw(st.permutations(events)))
    assert list(one.user_tokens) == list(two.user_tokens)
    assert list(one.catalogue.tokens) == list(two.catalogue.tokens)


def test_numbers_follow_domain_then_value() -> None:
    built = build([("u10", "1", 0), ("u2", "10", 1), ("12", "2", 2), ("7", "9", 3)])
    assert list(built.catalogue.tokens) == ["1", "9", "2", "10"]
    assert built.catalogue.domains == ("b", "a")
    assert built.catalogue.domain_offsets.tolist() == [0, 2, 4]
    assert built.catalogue.texts == ["text 1", "text 9", "text 2", "text 10"]
    assert list(built.user_tokens) == ["7", "12", "u10", "u2"]
    assert built.items.dtype == np.int32 and built.times.dtype == np.int64


def test_natural_order_of_odd_tokens() -> None:
    long = "9" * 5000  # more digits than int() takes
    tokens = [long, "x", "10", "9", "007", "7", "0", "٣", ""]
    assert sorted(tokens, key=natural) == ["0", "007", "7", "9", "10", long, "", "x", "٣"]


def test_policies_for_repeats() -> None:
    events = [("u", "1", 5), ("u", "2", 3), ("u", "1", 1), ("v", "1", 0)]
    assert by_user(build(events))["u"] == [("1", 1), ("2", 3), ("1", 5)]
    dropped = build(events, repeats="drop")
    assert by_user(dropped)["u"] == [("1", 1), ("2", 3)]
    assert dropped.report["repeats"] == dropped.report["repeats_dropped"] == 1
    with pytest.raises(DataError, match="1 events repeat"):
        build(events, repeats="refuse")
    assert build(events[1:], repeats="refuse").report["repeats"] == 0


def test_items_without_events_stay_unless_a_core_is_asked_for() -> None:
    events = [("u", "1", 0), ("u", "2", 1), ("v", "1", 2), ("v", "2", 3), ("w", "9", 4)]
    assert list(build(events).catalogue.tokens) == ["1", "9", "2", "10"]
    core = build(events, k_item=2)
    assert list(core.catalogue.tokens) == ["1", "2"] and list(core.user_tokens) == ["u", "v"]
    assert core.report["events_dropped_by_k_core"] == 1
    assert core.report["users_without_events"] == 1
    assert core.items.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("events", "items", "message"),
    [
        ([("u", "1", 0)], ITEMS, "domain 'a' is empty: 2 items, 0 events"),
        ([("u", "1", 0)], {"1": Item("b")}, "domain 'a' is empty: 0 items"),
        ([("u", "5", 0)], ITEMS, "item '5' has events"),
        ([("u", "1", 0)], {"1": Item("c")}, "unknown domains: c"),
    ],
)
def test_what_cannot_be_built(
    events: list[tuple[str, str, int]], items: dict[str, Item], message: str
) -> None:
    users, tokens, times = zip(*events, strict=True)
    with pytest.raises(DataError, match=message):
        build_interactions(Columns(users, tokens, np.array(times)), items, ["b", "a"])


def test_no_events_at_all() -> None:
    with pytest.raises(DataError, match="empty"):
        build_interactions(Columns([], [], np.zeros(0, np.int64)), ITEMS, ["b", "a"])


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_core_is_the_naive_one(pairs: list[tuple[int, int]], k_user: int, k_item: int) -> None:
    left = set(range(len(pairs)))
    while True:
        weak = {
            n for n in left
            if sum(pairs[m][0] == pairs[n][0] for m in left) < k_user
            or sum(pairs[m][1] == pairs[n][1] for m in left) < k_item
        }  # fmt: skip
        if not weak:
            break
        left -= weak
    users, items = (np.array([p[side] for p in pairs], np.int64) for side in (0, 1))
    assert set(np.flatnonzero(k_core(users, items, k_user, k_item)).tolist()) == left
