"""Counting ranks against naive sorting; ties, masks, candidates, NaN."""

from __future__ import annotations

import builders
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.data.sequences import Instances
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
