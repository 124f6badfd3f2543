"""The leakage audit against a slow reference, and what protocols must and cannot promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import three_domains
from hypothesis import given
from hypothesis import strategies as st
from three_domains import NAMES, Row

from recmerge_bench.data.audit import Audit, audit, event_times
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.data.splits import Scope, leave_one_out, temporal
from recmerge_bench.errors import DataError

SCOPES: st.SearchStrategy[Scope] = st.sampled_from(["domain", "mixed"])


def build(rows: Sequence[Row]) -> Interactions:
    rows = [*rows, ("z", "a0", 0), ("z", "b0", 0), ("z", "c0", 0)]  # too few to be targets
    return three_domains.build(rows)


def datasets() -> st.SearchStrategy[Interactions]:
    return three_domains.datasets(build)


def slow_times(built: Interactions, split: Split) -> list[int]:
    """The time of each event of the sequences, found by walking through the user's events."""
    collected, taken = [], set()
    s = split.sequences
    for row in range(len(s)):
        user = int(s.users[row])
        own = range(built.offsets[user], built.offsets[user + 1])
        for item in s.items[s.offsets[row] : s.offsets[row + 1]]:
            at = next(e for e in own if built.items[e] == item and e not in taken)
            taken.add(at)
            collected.append(int(built.times[at]))
    return collected


def slow(built: Interactions, split: Split) -> Audit:
    times, s, of_item = slow_times(built, split), split.sequences, built.item_domains()
    events = [
        (int(s.users[row]), int(s.items[e]), times[e], e)
        for row in range(len(s))
        for e in range(s.offsets[row], s.offsets[row] + s.train_end[row])
    ]
    own, other, same, later, seen, equal, faults, keys = [], [], [], [], [], [], 0, set()
    for t in range(len(split.test)):
        at = int(s.offsets[split.test.sequence[t]] + split.test.position[t])
        user, item = int(split.test.users[t]), int(split.test.targets[t])
        after = [e for e in events if e[2] > times[at]]
        own.append(any(of_item[i] == of_item[item] for _, i, _, _ in after))
        other.append(any(of_item[i] != of_item[item] for _, i, _, _ in after))
        same.append(any(u == user for u, _, _, _ in after))
        later.append(len(after) / len(events))
        seen.append(any(u == user and i == item for u, i, _, _ in events))
        row = split.test.sequence[t]
        around = [times[e] for e in range(s.offsets[row], s.offsets[row + 1])]
        equal.append(around.count(times[at]) > 1)
        faults += any(e == at for _, _, _, e in events)
        keys |= {(user, item)} if seen[-1] else set()
    mean = [float(np.mean(v)) for v in (own, other, same, later)]
    return Audit(
        len(split.test), *mean, faults, len(keys), float(np.mean(seen)), float(np.mean(equal))
    )


def checked(built: Interactions, split: Split) -> Audit:
    ours, theirs = audit(built, split), slow(built, split)
    assert event_times(built, split.sequences).tolist() == slow_times(built, split)
    for name, value in vars(theirs).items():
        assert getattr(ours, name) == pytest.approx(value, rel=1e-12), name
    return ours


@given(datasets(), SCOPES, st.sampled_from([("a",), ("a", "b"), NAMES]))
def test_leave_one_out_is_audited_as_the_slow_one(
    built: Interactions, scope: Scope, domains: tuple[str, ...]
) -> None:
    facts = checked(built, leave_one_out(built, domains, scope))
    assert facts.same_events == 0
    if len(domains) == 1:
        assert facts.later_other == 0


@given(datasets(), SCOPES)
def test_a_temporal_split_trains_on_nothing_later(built: Interactions, scope: Scope) -> None:
    try:
        split = temporal(built, NAMES, scope, 0.5, 0.7)
    except DataError:
        return  # nothing left to rank
    facts = checked(built, split)
    assert (facts.later_own, facts.later_other, facts.later_same_user) == (0, 0, 0)
    assert facts.later_events == 0 and facts.same_events == 0


def test_leave_one_out_of_a_known_dataset() -> None:
    rows = [
        *(("u", f"a{n}", n) for n in range(4)),  # target a3 at time 3
        *(("v", f"a{n}", 10 + n) for n in range(4)),  # trains on a0, a1 at 10, 11
        *(("u", f"b{n}", 20 + n) for n in range(3)),  # trains on b0 at 20
        ("u", "a3", 2),  # u has a3 twice: at 2 and at 3
    ]
    facts = audit(build(rows), leave_one_out(build(rows), ("a", "b")))
    assert facts.instances == 3
    # u's a3 (v's 10, 11), not v's a3 at 13, not u's b2 at 22
    assert facts.later_own == pytest.approx(1 / 3)
    assert facts.later_other == pytest.approx(2 / 3)  # u's a3 and v's a3 before b0 at 20
    assert facts.later_same_user == pytest.approx(1 / 3)
    assert facts.later_events == pytest.approx((3 + 1 + 0) / 6 / 3)
    assert (facts.same_events, facts.shared_keys, facts.seen_targets) == (0, 0, 0.0)


def test_repeats_and_faults_are_counted() -> None:
    rows = [("u", item, n) for n, item in enumerate(("a0", "a1", "a2", "a3", "a0"))]
    rows += [("v", item, n) for n, item in enumerate(("a0", "a1", "a2", "a3"))]
    built = build(rows)
    split = leave_one_out(built, ("a",))
    facts = audit(built, split)
    assert (facts.same_events, facts.shared_keys, facts.seen_targets) == (0, 1, 0.5)
    ends = np.diff(split.sequences.offsets).astype(np.int32)
    faulty = replace(split, sequences=replace(split.sequences, train_end=ends))
    assert audit(built, faulty).same_events == 2
    assert audit(built, faulty).seen_targets == 1.0


def test_places_are_no_times() -> None:
    built = build([("u", f"a{n}", n) for n in range(4)])
    facts = audit(built, leave_one_out(built, ("a",)), timed=False)
    assert (facts.later_own, facts.later_other, facts.later_events) == (None, None, None)
    assert facts.seen_targets == 0.0


def test_a_split_of_other_interactions_is_refused() -> None:
    split = leave_one_out(build([("u", f"a{n}", n) for n in range(4)]), ("a",))
    with pytest.raises(DataError, match="split again"):
        audit(build([("u", f"a{n}", n) for n in (0, 1, 2, 2)]), split)
