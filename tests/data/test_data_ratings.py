"""Pairs from raw ratings: the published preprocessing, against a slow one over plain lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recmerge_bench_plugins.datasets.amazon_merit.pairs import Pair
from recmerge_bench_plugins.datasets.amazon_merit.ratings import make_pair

from recmerge_bench.errors import DataError
from recmerge_bench.registry import Registry
from recmerge_bench.targets import define

Row = tuple[str, str, int]  # user, item, time
Sequences = dict[str, list[tuple[str, int]]]


def slow(
    first: Sequence[Row], second: Sequence[Row], k_item: int, last: int, least: int
) -> tuple[Sequences, set[str], set[str]]:
    """Files that are sorted by item, step by step: sequences by user, items of each domain."""
    shared = {i for _, i, _ in first} & {i for _, i, _ in second}
    a, b = ([r for r in rows if r[1] not in shared] for rows in (first, second))
    users = {u for u, _, _ in a} & {u for u, _, _ in b}
    domain_a = {i for _, i, _ in a}
    events = [r for r in [*a, *b] if r[0] in users]
    events.sort(key=lambda r: (r[0], r[2]))  # stable
    counts = Counter(i for _, i, _ in events)
    events = [r for r in events if counts[r[1]] >= k_item]
    collected: Sequences = {}
    for user in sorted(users):
        own = [(i, t) for u, i, t in events if u == user][-last:]
        in_a = sum(i in domain_a for i, _ in own)
        if min(in_a, len(own) - in_a) >= least:
            collected[user] = own
    left = {i for own in collected.values() for i, _ in own}
    return collected, left & domain_a, left - domain_a


def write(path: Path, rows: Sequence[Row], end: str = "\n") -> Path:
    path.write_bytes("".join(f"{u},{i},5.0,{t}{end}" for u, i, t in rows).encode())
    return path


def sequences_of(pair: Pair) -> Sequences:
    return {
        user: [
            (pair.items[r], int(t))
            for r, t in zip(
                pair.rows[pair.offsets[n] : pair.offsets[n + 1]],
                pair.times[pair.offsets[n] : pair.offsets[n + 1]],
                strict=True,
            )
        ]
        for n, user in enumerate(pair.users)
    }


def rows(tokens: list[str]) -> st.SearchStrategy[list[Row]]:
    users = st.sampled_from([f"U{n}" for n in range(6)])
    event = st.tuples(users, st.sampled_from(tokens), st.integers(0, 4))
    return st.lists(event, min_size=1, max_size=60)


A = [f"A{n}" for n in range(5)] + ["7", "10", "both"]
B = [f"B{n}" for n in range(5)] + ["9", "both"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows(A), rows(B), st.integers(0, 4), st.integers(2, 9), st.integers(1, 3), st.randoms())
def test_it_is_the_slow_one_whatever_the_order_of_rows(
    tmp_path: Path, a: list[Row], b: list[Row], k_item: int, last: int, least: int, chance: Any
) -> None:
    expected, items_a, items_b = slow(
        sorted(a, key=lambda r: r[1]), sorted(b, key=lambda r: r[1]), k_item, last, least
    )
    for own in (a, b):
        chance.shuffle(own)
    paths = write(tmp_path / "a.csv", a), write(tmp_path / "b.csv", b, "\r\n")
    if not expected:
        with pytest.raises(DataError, match=r"b\.csv: no user has"):
            make_pair(*paths, k_item, last, least)
        return
    pair = make_pair(*paths, k_item, last, least)
    assert sequences_of(pair) == expected
    assert pair.users == sorted(expected)
    assert pair.items == sorted(items_a) + sorted(items_b) and pair.n_first == len(items_a)
    repeats = sum(len(own) - len({i for i, _ in own}) for own in expected.values())
    assert pair.report["repeats"] == repeats
    kinds = [x.dtype.name for x in (pair.offsets, pair.rows, pair.times)]
    assert kinds == ["int64", "int32", "int64"]


def test_what_went_is_counted(tmp_path: Path) -> None:
    a = [("u", f"A{n}", n) for n in range(4)] + [("v", "A0", 1), ("w", "A1", 1), ("u", "X", 9)]
    b = [("u", f"B{n}", 5 + n) for n in range(3)] + [("v", "B0", 2), ("v", "X", 2), ("z", "B1", 0)]
    pair = make_pair(write(tmp_path / "a", a), write(tmp_path / "b", b), 1, 6, 1)
    assert pair.report == {
        "items_in_both_domains": 1,
        "events_of_items_in_both_domains": 2,
        "users_of_both_domains": 2,
        "items_below_1_events": 0,
        "events_of_items_below_1_events": 0,
        "events_before_the_last_6": 1,
        "users_below_1_events_of_a_domain": 0,
        "repeats": 0,
    }
    assert pair.items == ["A0", "A1", "A2", "A3", "B0", "B1", "B2"]
    fewer = make_pair(tmp_path / "a", tmp_path / "b", 2, 6, 1)
    assert fewer.items == ["A0", "B0"] and fewer.report["items_below_2_events"] == 5
    assert fewer.report["events_of_items_below_2_events"] == 5


GOOD = "u,A1,5.0,1\nu,A2,4.0,2\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a\.csv: cannot be read as user,item,rating,time"),
        (GOOD + "u,A3,5.0\n", r"a\.csv:3: 'u,A3,5.0' is not: user,item,rating,time"),
        (GOOD + "u,A3,5.0,1,1\n", r"a\.csv:3: "),
        (GOOD + "u,A3,5.0,soon\n", r"a\.csv:3: 'u,A3,5.0,soon' is not"),
        (GOOD + "u,A3,5.0,nan\n", r"a\.csv:3: "),
        (GOOD + "u,A3,5.0,1.5\n", r"a\.csv:3: "),
        (GOOD + "u,A3,5.0,\n", r"a\.csv:3: "),
        (GOOD + ",A3,5.0,1\n", r"a\.csv:3: "),
        (GOOD + "u,,5.0,1\n", r"a\.csv:3: "),
        ("user,item,rating,timestamp\n" + GOOD, r"a\.csv:1: 'user,item,rating,timestamp' is not"),
        (GOOD + "\n\nu\n", r"a\.csv:5: 'u' is not"),
        (GOOD.encode() + b"\xff,A3,5.0,1\n", r"a\.csv:3: "),
    ],
)
def test_wrong_files(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    other = write(tmp_path / "b.csv", [("u", "B1", 1)])
    for pair in ((path, other), (other, path)):
        with pytest.raises(DataError, match=message) as caught:
            make_pair(*pair, 1, 9, 1)
        assert "\n" not in str(caught.value)


def test_no_users_in_common(tmp_path: Path) -> None:
    paths = write(tmp_path / "a", [("u", "A", 1)]), write(tmp_path / "b", [("v", "B", 1)])
    with pytest.raises(DataError, match="no user has events of items of its own in a and in it"):
        make_pair(*paths, 1, 9, 1)


def raw_like(rng: np.random.Generator, letter: str) -> list[Row]:
    """Every user meets ten of twelve items, on few days, so that all of them stay."""
    collected = []
    for user in range(40):
        for item in rng.permutation(12)[:10]:
            collected.append((f"U{user:02}", f"{letter}{item:02}", int(rng.integers(8)) * 86_400))
    return sorted(collected, key=lambda r: r[1])


def test_the_plugin_makes_it_and_checks_it_with_the_maps(
    registry: Registry, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    a, b = raw_like(rng, "A"), raw_like(rng, "B")
    write(tmp_path / "ratings_Beauty.csv", a)
    write(tmp_path / "ratings_Electronics.csv", b)
    expected, items_a, items_b = slow(a, b, 10, 50, 5)
    spec = registry.get("dataset", "amazon-merit")
    options = {"pair": "beauty-electronics", "source": "ratings"}
    built = define(spec.target, {**options, "check_counts": False}).load(tmp_path)
    assert built.catalogue.domains == ("beauty", "electronics")
    tokens = [built.catalogue.tokens[i].partition(":")[2] for i in built.items]
    assert tokens == [i for own in expected.values() for i, _ in own]
    assert built.report["neighbours_of_one_time"] > 0

    (tmp_path / "abe").mkdir()
    ids = [(i, 0) for i in sorted(items_a)] + [(i, 1) for i in sorted(items_b)]
    item_map = {i: [n, d] for n, (i, d) in enumerate(ids, 1)}
    user_map = {u: n for n, u in enumerate(sorted(expected))}
    (tmp_path / "abe" / "map_item_50.txt").write_text(json.dumps(item_map))
    (tmp_path / "abe" / "map_user_50.txt").write_text(json.dumps(user_map))
    with pytest.raises(DataError, match="Table 1 has"):  # the ids agree, the counts do not
        define(spec.target, options).load(tmp_path)
    (tmp_path / "abe" / "map_user_50.txt").write_text(json.dumps({"A": 0}))
    with pytest.raises(DataError, match="the users made from the ratings are not those"):
        define(spec.target, options).load(tmp_path)
    (tmp_path / "abe" / "map_item_50.txt").write_text(json.dumps({"A": [1, 0]}))
    with pytest.raises(DataError, match="the items made from the ratings are not those"):
        define(spec.target, options).load(tmp_path)
