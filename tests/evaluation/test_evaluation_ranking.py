"""Counting ranks against naive sorting; ties, masks, candidates, NaN."""

from __future__ import annotations

import builders
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranking import Ranking, count_many

CAT = builders.catalogue((12, 9))
SPLIT = builders.mixed(CAT, users=15)
TEST = SPLIT.test


def scorer(table: np.ndarray):  # type: ignore[no-untyped-def]
    def block(rows: np.ndarray, domain: str) -> np.ndarray:
        return table[rows][:, CAT.span(domain)].astype(np.float32)

    return block


def naive(
    table: np.ndarray, test: Instances, candidates: np.ndarray | None, mask: bool
) -> tuple[list[int], list[int]]:
    better, equal = [], []
    for i in range(len(test)):
        span = CAT.span(CAT.domains[test.domains[i]])
        pool = list(range(span.start, span.stop)) if candidates is None else list(candidates[i])
        start = SPLIT.sequences.offsets[test.sequence[i]]
        past = set(SPLIT.sequences.items[start : start + test.position[i]].tolist())
        pool = [j for j in pool if j != test.targets[i] and not (mask and j in past)]
        own = table[i, test.targets[i]]
        better.append(sum(table[i, j] > own for j in pool))
        equal.append(sum(table[i, j] == own for j in pool))
    return better, equal


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([1, 200, 1 << 20]))
def test_counts(seed: int, levels: int, block_bytes: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, levels, (len(TEST), CAT.n_items)).astype(np.float32)
    starts = CAT.domain_offsets[TEST.domains][:, None]
    sizes = np.diff(CAT.domain_offsets)[TEST.domains][:, None]
    candidates = (starts + rng.integers(0, sizes, (len(TEST), 7))).astype(np.int32)
    rankings = [Ranking(c, m) for m in (True, False) for c in (candidates, None)]
    got = count_many(scorer(table), TEST, SPLIT, CAT, rankings, block_bytes)
    for ranking, (better, equal) in zip(rankings, got, strict=True):
        want = naive(table, TEST, ranking.candidates, ranking.mask_history)
        assert (better.tolist(), equal.tolist()) == want
        assert better.dtype == equal.dtype == np.int32


def test_constant_scores_do_not_win() -> None:
    table = np.zeros((len(TEST), CAT.n_items))
    [(better, equal)] = count_many(scorer(table), TEST, SPLIT, CAT, [Ranking()])
    sizes = np.diff(CAT.domain_offsets)[TEST.domains]
    assert not better.any() and (equal == sizes - 1).all()
    assert np.allclose(rank(better, equal), (sizes + 1) / 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_raises(bad: float) -> None:
    table = np.zeros((len(TEST), CAT.n_items))
    table[3, CAT.span(CAT.domains[TEST.domains[3]]).start] = bad
    with pytest.raises(FloatingPointError, match="NaN or infinite"):
        count_many(scorer(table), TEST, SPLIT, CAT, [Ranking()])


def test_huge_scores_are_numbers() -> None:
    table = np.full((len(TEST), CAT.n_items), 3e38)
    [(better, _)] = count_many(scorer(table), TEST, SPLIT, CAT, [Ranking()])
    assert not better.any()


def ragged(seed: int) -> Split:
    """Short and long mixed sequences with repeats; some targets are in their own histories."""
    rng = np.random.default_rng(seed)
    sequences = []
    for _ in range(40):
        events = rng.integers(0, CAT.n_items, int(rng.integers(3, 40))).tolist()
        if rng.random() < 0.3:
            events[-1] = events[int(rng.integers(len(events) - 1))]
        sequences.append(events)
    return builders.leave_two_out(sequences, [-1] * len(sequences), CAT)


def by_masking(table: np.ndarray, split: Split) -> np.ndarray:
    """Masked counts as they were made before: lowest score for the history, then compare."""
    test, counts = split.test, []
    for i in range(len(test)):
        span = CAT.span(CAT.domains[test.domains[i]])
        scores, own = table[i, span].copy(), table[i, test.targets[i]]
        start = split.sequences.offsets[test.sequence[i]]
        for item in split.sequences.items[start : start + test.position[i]]:
            if span.start <= item < span.stop and item != test.targets[i]:
                scores[item - span.start] = -np.inf
        counts.append([(scores > own).sum(), (scores == own).sum() - 1])
    return np.array(counts).T


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.sampled_from([1, 300, 1 << 20]))
def test_masked_and_unmasked_are_one_pass_and_agree_with_masking(
    seed: int, levels: int, block_bytes: int
) -> None:
    split = ragged(seed)
    test, rng = split.test, np.random.default_rng(seed)
    assert len(np.unique(np.diff(split.sequences.offsets))) > 5
    table = rng.integers(0, levels, (len(test), CAT.n_items)).astype(np.float32)
    passes = []

    def block(rows: np.ndarray, domain: str) -> np.ndarray:
        passes.extend(rows)
        return table[rows][:, CAT.span(domain)].copy()

    both = count_many(block, test, split, CAT, [Ranking(), Ranking(mask_history=True)], block_bytes)
    assert sorted(passes) == list(range(len(test)))  # each score was made once
    assert (np.stack(both[1]) == by_masking(table, split)).all()
    for ranking, counts in zip([Ranking(), Ranking(mask_history=True)], both, strict=True):
        [alone] = count_many(scorer(table), test, split, CAT, [ranking], block_bytes)
        assert (np.stack(alone) == np.stack(counts)).all()
    assert (np.stack(both[1]) <= np.stack(both[0])).all()


def test_a_target_in_its_history_is_ranked_and_a_repeat_counts_once() -> None:
    """Items 0, 1, 1, 2 were read, the target is 2; 1 scores above it, 0 alike."""
    split = builders.leave_two_out([[3, 0, 1, 1, 2, 2]], [-1], CAT)
    table = np.zeros((1, CAT.n_items), np.float32)
    table[0, [1, 4]] = 1.0
    both = count_many(
        scorer(table), split.test, split, CAT, [Ranking(), Ranking(mask_history=True)]
    )
    assert split.test.targets.tolist() == [2]
    # Of twelve items: 1 and 4 above; the other nine alike. Masked: 4 above, 3 and 0 gone.
    assert [(int(b[0]), int(e[0])) for b, e in both] == [(2, 9), (1, 7)]
