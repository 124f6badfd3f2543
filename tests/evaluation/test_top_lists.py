"""First items of rankings against sorting in Python: ties, masks, blocks, short domains, NaN."""

from __future__ import annotations

from pathlib import Path

import builders
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranking import Ranking, count_many
from recmerge_bench.evaluation.top_lists import NO_ITEM, TopLists, first_items, read_lists

CAT = builders.catalogue((12, 9))
SPLIT = builders.mixed(CAT, users=15)
TEST = SPLIT.test


def kept(table: np.ndarray, k: int, block_bytes: int = 1 << 20) -> tuple[TopLists, list]:  # type: ignore[type-arg]
    """The lists of a table of scores, and the counts of the same pass."""
    lists = TopLists(SPLIT, TEST, CAT, k)

    def block(rows: np.ndarray, domain: str) -> torch.Tensor:
        scores = torch.from_numpy(table[rows][:, CAT.span(domain)].astype(np.float32))
        lists(rows, domain, scores)
        return scores

    counts = count_many(block, TEST, SPLIT, CAT, [Ranking(), Ranking(None, True)], block_bytes)
    return lists, counts


def naive(table: np.ndarray, k: int, mask: bool) -> np.ndarray:
    out = np.full((len(TEST), k), NO_ITEM, np.int32)
    for i in range(len(TEST)):
        span = CAT.span(CAT.domains[TEST.domains[i]])
        start = SPLIT.sequences.offsets[TEST.sequence[i]]
        past = set(SPLIT.sequences.items[start : start + TEST.position[i]].tolist())
        pool = [j for j in range(span.start, span.stop)
                if not mask or j == TEST.targets[i] or j not in past]  # fmt: skip
        best = sorted(pool, key=lambda j: (-table[i, j], j))[:k]
        out[i, : len(best)] = best
    return out


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([1, 200, 1 << 20]),
    st.integers(1, 14),
)  # fmt: skip
def test_lists_are_those_of_sorting(seed: int, levels: int, block_bytes: int, k: int) -> None:
    table = np.random.default_rng(seed).integers(0, levels, (len(TEST), CAT.n_items))
    lists, _ = kept(table.astype(np.float32), k, block_bytes)
    assert np.array_equal(lists.plain, naive(table, k, mask=False))
    assert np.array_equal(lists.masked, naive(table, k, mask=True))
    assert lists.plain.dtype == lists.masked.dtype == np.int32


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 9))
def test_lists_and_ranks_of_one_pass_agree(seed: int, levels: int, k: int) -> None:
    table = np.random.default_rng(seed).integers(0, levels, (len(TEST), CAT.n_items))
    lists, counts = kept(table.astype(np.float32), k)
    for own, (better, equal) in zip((lists.plain, lists.masked), counts, strict=True):
        is_target = own == TEST.targets[:, None]
        place = np.where(is_target.any(1), is_target.argmax(1), k)
        listed = place < k
        assert (better[listed] <= place[listed]).all()
        assert (place[listed] <= (better + equal)[listed]).all()
        assert listed[better + equal < k].all(), "a target that is surely among the first is there"
        assert not listed[better >= k].any()


def test_looking_changes_no_score() -> None:
    scores = torch.arange(12.0).repeat(3, 1)
    rows = np.flatnonzero(TEST.domains == 0)[:3]
    before = scores.clone()
    TopLists(SPLIT, TEST, CAT, 4)(rows, CAT.domains[0], scores)
    assert torch.equal(scores, before)


def test_ties_go_by_number_and_small_rows_end_early() -> None:
    scores = torch.tensor([[1.0, 3.0, 3.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    assert first_items(scores, 2).tolist() == [[1, 2], [0, 1]]
    assert first_items(scores, 4).tolist() == [[1, 2, 4, 3], [0, 1, 2, 3]]
    assert first_items(scores, 7).tolist() == [[1, 2, 4, 3, 0, -1, -1], [0, 1, 2, 3, 4, -1, -1]]
    scores[1, 1:] = -torch.inf
    assert first_items(scores, 3)[1].tolist() == [0, NO_ITEM, NO_ITEM]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_raises(bad: float) -> None:
    table = np.zeros((len(TEST), CAT.n_items), np.float32)
    table[3, CAT.span(CAT.domains[TEST.domains[3]])] = bad
    with pytest.raises(FloatingPointError, match="NaN or infinite"):
        kept(table, 3)


def test_files_that_are_no_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "lists.npy"
    with pytest.raises(DataError, match="no lists of items"):
        read_lists(path, 3)
    for value in (np.zeros((3, 2)), np.zeros(3, np.int32), np.zeros((4, 2), np.int32)):
        np.save(path, value)
        with pytest.raises(DataError, match="no lists of 3 test targets"):
            read_lists(path, 3)
    np.save(path, np.zeros((3, 2), np.int32))
    assert read_lists(path, 3).shape == (3, 2)
