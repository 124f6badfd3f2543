"""Shuffled histories: the same targets and items, in an order that a seed gives."""

from __future__ import annotations

from collections import Counter

import builders
import numpy as np
import pytest
from recmerge_bench_plugins.backbones.sasrec import SASRec, SASRecOptions
from recmerge_bench_plugins.baselines.last_item import LastItem
from recmerge_bench_plugins.baselines.popularity import Popularity

from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.definitions import CountingModel
from recmerge_bench.evaluation.loaded import FittedModel, LoadedModel, Rankable
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.evaluation.shuffling import shuffled, window_of
from recmerge_bench.evaluation.split_ranks import rank_split

CAT = builders.catalogue((30, 20))
SPLIT = builders.planted(CAT, users=150)
SHORT = SASRec(SASRecOptions(width=16, max_len=5, std=1.0))


def histories(split: Split, instances: Instances) -> list[list[int]]:
    starts = split.sequences.offsets[instances.sequence]
    return [
        split.sequences.items[a : a + n].tolist()
        for a, n in zip(starts, instances.position, strict=True)
    ]


@pytest.mark.parametrize("window", [None, 1, 5])
def test_targets_and_items_stay(window: int | None) -> None:
    other, own = shuffled(SPLIT, SPLIT.test, 7, window)
    assert other.test is own and not len(other.valid)
    assert not other.sequences.train_end.any()
    for name in ("position", "users", "domains", "targets"):
        assert np.array_equal(getattr(own, name), getattr(SPLIT.test, name)), name
    at = other.sequences.offsets[own.sequence] + own.position
    assert np.array_equal(other.sequences.items[at], own.targets)
    of_test = SPLIT.sequences.domains[SPLIT.test.sequence]
    assert np.array_equal(other.sequences.domains, of_test)
    moved = 0
    for was, now in zip(histories(SPLIT, SPLIT.test), histories(other, own), strict=True):
        split = 0 if window is None else max(0, len(was) - window)
        assert Counter(was[:split]) == Counter(now[:split])
        assert Counter(was[split:]) == Counter(now[split:])
        moved += was[split:] != now[split:]
    assert moved == 0 if window == 1 else moved > 100


def test_an_order_is_the_targets_own() -> None:
    """Neither the other instances nor the window change it; another seed does."""
    rows = np.arange(40, 60)
    whole, few = (
        histories(*shuffled(SPLIT, some, 7)) for some in (SPLIT.test, SPLIT.test.take(rows))
    )
    assert [whole[i] for i in rows] == few
    wide = histories(*shuffled(SPLIT, SPLIT.test, 7, 1000))
    assert wide == whole
    assert histories(*shuffled(SPLIT, SPLIT.test, 8)) != whole


def test_every_order_is_equally_likely() -> None:
    sequences = [[0, 1, 2, 3, user % 30] for user in range(4800)]
    split = builders.leave_two_out(sequences, [0] * 4800, CAT)
    counts = Counter(map(tuple, histories(*shuffled(split, split.test, 0))))
    assert len(counts) == 24
    chi = sum((n - 200) ** 2 / 200 for n in counts.values())
    assert chi < 50  # 23 degrees of freedom: 1 in 1,000 is above 49.7


def fitted(definition: CountingModel) -> FittedModel:
    return FittedModel(definition, definition.fit(SPLIT, CAT, CAT.domains), CAT.domains)


def ranks(
    model: Rankable, seed: int | None, split: Split = SPLIT, masked: bool = False
) -> RankTable:
    return rank_split([model], split, CAT, Ranking(mask_history=masked), shuffle_seed=seed)


def same(one: RankTable, other: RankTable) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("n_better", "n_equal")
    )


@pytest.mark.parametrize("masked", [False, True])
def test_popularity_does_not_move_and_the_last_item_does(masked: bool) -> None:
    popular, last = fitted(Popularity()), fitted(LastItem())
    assert same(ranks(popular, None, masked=masked), ranks(popular, 3, masked=masked))
    true, other = (ranks(last, seed, masked=masked) for seed in (None, 3))
    assert true.n_better.mean() + 2 < other.n_better.mean()  # the cycle is in the last item


def test_a_net_reads_its_own_window_in_another_order() -> None:
    """As if it were given the shuffled split; the items beyond its window never come in."""
    model = LoadedModel(SHORT, SHORT.build(CAT, CAT.domains, 0), CAT.domains)
    assert window_of(model) == 5 and window_of(fitted(Popularity())) is None
    other, _ = shuffled(SPLIT, SPLIT.test, 3, 5)
    assert same(ranks(model, 3), ranks(model, None, other))
    assert not same(ranks(model, 3), ranks(model, None))
