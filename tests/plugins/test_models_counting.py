"""Popularity, item-kNN and last-item against dense forms."""

from __future__ import annotations

import tracemalloc

import builders
import numpy as np
import pytest
from recmerge_bench_plugins.baselines.item_knn import ItemKNN, ItemKNNOptions
from recmerge_bench_plugins.baselines.last_item import LastItem
from recmerge_bench_plugins.baselines.popularity import Popularity

from recmerge_bench.data.sequences import Split
from recmerge_bench.toolkit.models import neighbours

CAT = builders.catalogue((30, 20))
SPLITS = {"domain": builders.planted(CAT, 60), "mixed": builders.mixed(CAT, 40)}
PAST = [np.array([3, 7, 7], np.int32), np.array([12], np.int32), np.zeros(0, np.int32)]


def parts(split: Split) -> list[np.ndarray]:
    s = split.sequences
    return [s.items[a : a + n] for a, n in zip(s.offsets, s.train_end, strict=False)]


@pytest.mark.parametrize("kind", ["domain", "mixed"])
@pytest.mark.parametrize("domain", ["alpha", "beta"])
def test_against_dense(kind: str, domain: str) -> None:
    split, n, span = SPLITS[kind], CAT.n_items, CAT.span(domain)
    together, follows, popular = np.zeros((n, n)), np.zeros((n, n)), np.zeros(n)
    for part in parts(split):
        held = np.bincount(part, minlength=n) > 0
        together += np.outer(held, held)
        np.add.at(follows, (part[:-1], part[1:]), 1)
        np.add.at(popular, part, 1)
    support = np.diag(together).copy()
    np.fill_diagonal(together, 0)
    cosine = together / (np.sqrt(np.outer(support, support)) + 2.0)

    knn = ItemKNN(ItemKNNOptions(k=n, decay=0.5, shrink=2.0))
    got = knn.scores(knn.fit(split, CAT, CAT.domains), PAST, CAT, domain)
    want = np.stack([0.25 * cosine[3] + 1.5 * cosine[7], cosine[12], np.zeros(n)])[:, span]
    assert np.allclose(got, want, atol=1e-5) and got.dtype == np.float32

    last = LastItem()
    got = last.scores(last.fit(split, CAT, CAT.domains), PAST, CAT, domain)
    tie = 0.5 * popular[span] / popular[span].max()
    assert np.allclose(got, np.stack([follows[7], follows[12], np.zeros(n)])[:, span] + tie)

    pop = Popularity()
    got = pop.scores(pop.fit(split, CAT, CAT.domains), PAST, CAT, domain)
    assert np.array_equal(got, np.stack([popular[span]] * 3))


@pytest.mark.parametrize("pairs", [1, 40, 10**6])
def test_co_occurrences_do_not_hang_on_the_blocks(
    pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_PAIRS", pairs)
    offsets, items = SPLITS["mixed"].sequences.training()
    blocks = list(neighbours.co_occurrences(offsets, items, CAT.n_items))
    assert (len(blocks) > 1) == (pairs < 10**6)
    dense = np.zeros((CAT.n_items, CAT.n_items), int)
    for part in parts(SPLITS["mixed"]):
        held = np.bincount(part, minlength=CAT.n_items) > 0
        dense += np.outer(held, held)
    np.fill_diagonal(dense, 0)
    codes, counts = (np.concatenate(p) for p in zip(*blocks, strict=True))
    assert np.array_equal(codes, np.flatnonzero(dense)) and np.array_equal(
        counts, dense.ravel()[codes]
    )


def test_one_huge_history_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """One user with 7,387 different items took 6 GB."""
    n = 3000
    offsets, items = np.array([0, n]), np.arange(n, dtype=np.int32)
    monkeypatch.setattr(neighbours, "_PAIRS", 20_000)
    most = max(len(c) for c, _ in neighbours.co_occurrences(offsets, items, n))
    assert most <= 20_000
    tracemalloc.start()
    total = sum(len(c) for c, _ in neighbours.co_occurrences(offsets, items, n))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == n * (n - 1)
    assert peak < 10 * 2**20  # all pairs at once: 9 million, 72 MB for their codes alone


def test_knn_keeps_the_strongest() -> None:
    knn = ItemKNN(ItemKNNOptions(k=2))
    state = knn.fit(SPLITS["domain"], CAT, CAT.domains)
    assert np.diff(state["indptr.alpha"]).max() == 2
