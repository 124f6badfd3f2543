"""Protocols against slow references, and what may never happen in a split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from three_domains import NAMES, build, datasets

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.data.splits import Scope, gather_sequences, leave_one_out, temporal
from recmerge_bench.errors import DataError, HandledError

Targets = dict[tuple[int, int], tuple[list[int], int]]  # user, domain: history, target


def sequences_of(
    built: Interactions, domains: Sequence[str], scope: Scope
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """(user, domain or -1) -> (item, time) in order; a loop over events."""
    of_item = built.item_domains()
    collected: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for user in range(built.n_users):
        for at in range(built.offsets[user], built.offsets[user + 1]):
            item = int(built.items[at])
            if NAMES[of_item[item]] in domains:
                key = (user, int(of_item[item]) if scope == "domain" else -1)
                collected.setdefault(key, []).append((item, int(built.times[at])))
    return collected


def given_targets(split: Split, instances: Instances) -> Targets:
    s, collected = split.sequences, {}
    for row in range(len(instances)):
        sequence, position = int(instances.sequence[row]), int(instances.position[row])
        start = s.offsets[sequence]
        assert s.items[start + position] == instances.targets[row]
        assert s.users[sequence] == instances.users[row]
        key = (int(s.users[sequence]), int(s.domains[sequence]))
        history = s.items[start : start + position].tolist()
        collected[key] = (history, int(instances.targets[row]))
    assert len(collected) == len(instances)
    return collected


def given_training(split: Split) -> dict[tuple[int, int], list[int]]:
    s = split.sequences
    return {
        (int(s.users[n]), int(s.domains[n])): s.items[
            s.offsets[n] : s.offsets[n] + s.train_end[n]
        ].tolist()
        for n in range(len(s))
    }


SCOPES: st.SearchStrategy[Scope] = st.sampled_from(["domain", "mixed"])


@given(datasets(), SCOPES, st.integers(3, 6))
def test_leave_one_out_is_the_slow_one(built: Interactions, scope: Scope, shortest: int) -> None:
    whole = sequences_of(built, ("a", "c"), scope)
    long = {k: [i for i, _ in v] for k, v in whole.items() if len(v) >= shortest}
    try:
        split = leave_one_out(built, ["a", "c"], scope, shortest)
    except DataError:
        assert not long
        return
    assert given_training(split) == {k: v[:-2] for k, v in long.items()}
    assert given_targets(split, split.valid) == {k: (v[:-2], v[-2]) for k, v in long.items()}
    assert given_targets(split, split.test) == {k: (v[:-1], v[-1]) for k, v in long.items()}
    assert split.report["sequences_too_short"] == len(whole) - len(long)


@given(datasets(), SCOPES, st.sampled_from([(0.8, 0.9), (0.3, 0.6)]))
def test_temporal_is_the_slow_one(
    built: Interactions, scope: Scope, quantiles: tuple[float, float]
) -> None:
    whole = sequences_of(built, ("a", "c"), scope)
    times = sorted(t for events in whole.values() for _, t in events)
    first, second = (times[int(q * (len(times) - 1))] for q in quantiles)
    train = {k: [i for i, t in v if t < first] for k, v in whole.items()}

    def targets(start: int, end: float) -> Targets:
        collected = {}
        for key, events in whole.items():
            before = [i for i, t in events if t < start]
            inside = [i for i, t in events if start <= t < end]
            if before and inside:
                collected[key] = (before, inside[0])
        return collected

    valid, test = targets(first, second), targets(second, np.inf)
    try:
        split = temporal(built, ["a", "c"], scope, *quantiles)
    except DataError:
        assert not test or not any(train.values())
        return
    assert given_training(split) == train
    assert given_targets(split, split.valid) == valid
    assert given_targets(split, split.test) == test
    assert len(whole) == len(test) + sum(
        split.report[f"{why}"]
        for why in ("sequences_without_test_target", "test_targets_without_history")
    )


@given(datasets(), SCOPES, st.booleans())
def test_unscored_domains_train_and_are_never_targets(
    built: Interactions, scope: Scope, by_time: bool
) -> None:
    splitter = temporal if by_time else leave_one_out
    try:
        one = splitter(built, ["a"], scope, unscored=["b"])
        all_scored = splitter(built, ["a", "b"], scope)
    except DataError:
        return
    assert given_training(one) == given_training(all_scored)
    for part in ("valid", "test"):
        ours, theirs = getattr(one, part), getattr(all_scored, part)
        kept = theirs.take(theirs.domains == 0)
        assert given_targets(one, ours) == given_targets(all_scored, kept)
        assert (ours.domains == 0).all()
        lost = one.report[f"{part}_targets_unscored"]
        assert by_time or lost == len(theirs) - len(ours)


@given(datasets(), SCOPES, st.booleans())
def test_nothing_of_valid_or_test_is_trained_on(
    built: Interactions, scope: Scope, by_time: bool
) -> None:
    try:
        split = (temporal if by_time else leave_one_out)(built, NAMES, scope)
    except DataError:
        return
    s = split.sequences
    assert list(given_training(split)) == sorted(given_training(split))  # by user, then domain
    for part in (split.valid, split.test):
        assert (part.position >= s.train_end[part.sequence]).all()
        assert (part.position >= 1).all()
        assert (part.domains == built.item_domains()[part.targets]).all()
    both = np.intersect1d(split.valid.sequence, split.test.sequence)
    at = [dict(zip(p.sequence, p.position, strict=True)) for p in (split.valid, split.test)]
    assert all(at[0][n] < at[1][n] for n in both)


@given(datasets(), st.integers(4, 9), st.integers(0, 3))
def test_the_latest_events_of_users_with_enough_of_each_domain(
    built: Interactions, last: int, least: int
) -> None:
    whole = sequences_of(built, ("a", "c"), "mixed")
    latest = {k: [i for i, _ in v[-last:]] for k, v in whole.items()}
    domain = built.item_domains()

    def enough(items: list[int]) -> bool:
        return min(sum(NAMES[domain[i]] == d for i in items) for d in "ac") >= least

    rich = {k: v for k, v in latest.items() if enough(v)}
    long = {k: v for k, v in rich.items() if len(v) >= 3}
    if not long:
        with pytest.raises(DataError):
            leave_one_out(built, ["a", "c"], "mixed", last=last, least_each=least)
        return
    split = leave_one_out(built, ["a", "c"], "mixed", last=last, least_each=least)
    assert given_training(split) == {k: v[:-2] for k, v in long.items()}
    assert given_targets(split, split.valid) == {k: (v[:-2], v[-2]) for k, v in long.items()}
    assert given_targets(split, split.test) == {k: (v[:-1], v[-1]) for k, v in long.items()}
    gone = sum(len(v) for v in whole.values()) - sum(len(v) for v in latest.values())
    assert split.report["events_before_the_last"] == gone
    assert split.report.get("sequences_short_of_a_domain", 0) == len(latest) - len(rich)
    assert split.report["sequences_too_short"] == len(rich) - len(long)


@given(datasets())
def test_sequences_of_one_domain_are_counted(built: Interactions) -> None:
    whole = sequences_of(built, ("a", "c"), "mixed")
    domain = built.item_domains()
    alone = sum(len({int(domain[i]) for i, _ in v}) == 1 for v in whole.values())
    assert gather_sequences(built, ["a", "c"], "mixed", ())[2]["sequences_of_one_domain"] == alone


def test_domains_without_users_in_common_are_no_pair() -> None:
    owners = (("u", "a"), ("v", "b"), ("w", "c"))
    rows = [(user, f"{d}{n}", n) for user, d in owners for n in range(4)]
    built = build(rows)
    assert len(leave_one_out(built, ["a", "b"]).test) == 2
    for splitter in (leave_one_out, temporal):
        with pytest.raises(DataError, match="no user has events of two of the domains a, b:"):
            splitter(built, ["a", "b"], "mixed")
        with pytest.raises(DataError, match="no user has events of two of the domains a, c:"):
            splitter(built, ["a"], "mixed", unscored=["c"])
    assert len(leave_one_out(built, ["a"], "mixed").test) == 1


def test_types_are_those_of_the_contract() -> None:
    built = build([("u", f"{d}{n}", n) for d in NAMES for n in range(4)])
    expected: dict[Scope, list[int]] = {"domain": [0, 1, 2], "mixed": [-1]}
    for scope, domains in expected.items():
        split = leave_one_out(built, NAMES, scope)
        s, t = split.sequences, split.test
        assert s.domains.tolist() == domains
        kinds = [a.dtype.name for a in (s.offsets, s.items, s.users, s.domains, s.train_end)]
        assert kinds == ["int64", "int32", "int32", "int16", "int32"]
        kinds = [a.dtype.name for a in (t.sequence, t.position, t.users, t.domains, t.targets)]
        assert kinds == ["int32", "int32", "int32", "int16", "int32"]


def test_events_at_a_cut_off_are_not_trained_on() -> None:
    rows = [("u", f"{d}{n % 4}", n) for d in NAMES for n in range(11)]
    split = temporal(build(rows), ["a"], valid_from=0.8, test_from=0.9)
    assert split.sequences.train_end.tolist() == [8]
    assert split.valid.position.tolist() == [8] and split.test.position.tolist() == [9]


def test_what_cannot_be_split() -> None:
    built = build([("u", f"{d}{n}", n) for d in NAMES for n in range(2)])
    with pytest.raises(DataError, match="no test target"):
        leave_one_out(built, ["a"])
    same_time = build([("u", f"{d}{n}", 0) for d in NAMES for n in range(4)])
    with pytest.raises(DataError, match="no test target"):
        temporal(same_time, ["a"])
    with pytest.raises(HandledError, match=r"no domain 'aa' \(did you mean 'a'"):
        leave_one_out(built, ["aa"])
    with pytest.raises(HandledError, match="min_length is 2"):
        leave_one_out(built, ["a"], min_length=2)
    for last in (-1, 2):
        with pytest.raises(HandledError, match=f"last is {last}"):
            leave_one_out(built, ["a"], last=last)
    with pytest.raises(HandledError, match="least_each is for mixed"):
        leave_one_out(built, ["a"], least_each=1)
    for quantiles in ((0.9, 0.8), (0.0, 0.5), (0.5, 1.0)):
        with pytest.raises(HandledError, match="valid_from"):
            temporal(built, ["a"], "domain", *quantiles)
