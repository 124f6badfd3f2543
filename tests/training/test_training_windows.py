"""Windows and batches cover every target exactly once an epoch."""

from __future__ import annotations

import builders
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.training.batches import Stream, plan_epoch
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.streams import training_streams
from recmerge_bench.training.windows import cut_windows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(1, 9), st.integers(0, 99))
def test_each_target_once(lengths: list[int], max_len: int, seed: int) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = np.arange(offsets[-1], dtype=np.int32)
    windows = cut_windows(offsets, items, max_len, np.random.default_rng(seed))
    assert (windows.lengths >= 1).all() and (windows.lengths <= max_len).all()
    covered = np.concatenate(
        [np.zeros(0, int)]
        + [np.arange(a, a + n) + 1 for a, n in zip(windows.starts, windows.lengths, strict=True)]
    )
    firsts = offsets[:-1][np.diff(offsets) > 0]
    assert sorted(covered) == sorted(set(items.tolist()) - set(firsts.tolist()))


def test_epochs_cut_differently_and_repeat() -> None:
    offsets, items = np.array([0, 200]), np.arange(200, dtype=np.int32)
    stream = Stream(("a",), offsets, items)
    first = [p.windows.starts[p.rows].tolist() for p in plan_epoch([stream], 50, 2, 0, 7, 0)]
    again = [p.windows.starts[p.rows].tolist() for p in plan_epoch([stream], 50, 2, 0, 7, 0)]
    later = [p.windows.starts[p.rows].tolist() for p in plan_epoch([stream], 50, 2, 0, 7, 1)]
    assert first == again != later


def test_batches_of_one_domain_interleaved() -> None:
    cat = builders.catalogue((30, 20))
    split = builders.planted(cat, users=200)
    streams = [Stream((n,), *split.sequences.training(d)) for d, n in enumerate(cat.domains)]
    for tokens in (0, 60):
        plan = plan_epoch(streams, 10, 8, tokens, 0, 0)
        seen = 0
        for planned in plan:
            batch = planned.load(torch.device("cpu"), torch.Generator())
            span = cat.span(batch.scope[0])
            grid = torch.arange(batch.items.shape[1]) < batch.lengths[:, None]
            for values in (batch.items, batch.targets):
                inside = (values >= span.start) & (values < span.stop)
                assert bool(inside[grid].all()) and not bool(values[~grid].any())
            assert torch.equal(batch.items[:, 1:][grid[:, 1:]], batch.targets[:, :-1][grid[:, 1:]])
            assert tokens == 0 or int(batch.lengths.sum()) < tokens + 10
            seen += int(batch.lengths.sum())
        assert seen == sum(s.n_targets for s in streams)
        half = [p.scope[0] for p in plan[: len(plan) // 2]]
        assert abs(half.count("alpha") / len(half) - 0.5) < 0.2


def test_sorted_pools_waste_little() -> None:
    cat = builders.catalogue((30,), ("alpha",))
    split = builders.planted(cat, users=900)
    stream = Stream(("alpha",), *split.sequences.training(0))
    plan = plan_epoch([stream], 50, 64, 0, 0, 0)
    padded = sum(len(p.rows) * int(p.windows.lengths[p.rows].max()) for p in plan)
    assert padded < 1.15 * stream.n_targets


def test_random_batches_hold_the_same_windows_of_all_lengths() -> None:
    cat = builders.catalogue((30,), ("alpha",))
    stream = Stream(("alpha",), *builders.planted(cat, users=900).sequences.training(0))
    plans = {b: plan_epoch([stream], 50, 64, 0, 0, 0, batching=b) for b in TrainOptions.BATCHING}
    rows = {b: np.sort(np.concatenate([p.rows for p in plan])) for b, plan in plans.items()}
    assert (rows["length"] == rows["random"]).all()
    lengths = {b: [p.windows.lengths[p.rows] for p in plan] for b, plan in plans.items()}
    spread = {b: np.mean([one.std() for one in own]) for b, own in lengths.items()}
    whole = np.concatenate(lengths["random"]).std()
    assert spread["length"] < 0.3 * whole < 0.9 * whole < spread["random"]
    again = plan_epoch([stream], 50, 64, 0, 0, 0, batching="random")
    assert [p.rows.tolist() for p in again] == [p.rows.tolist() for p in plans["random"]]


def test_streams_in_proportion_in_balance_and_one_after_the_other() -> None:
    cat = builders.catalogue((30, 20))
    large, small = builders.planted(cat, users=400), builders.planted(cat, users=60)
    streams = [
        Stream(("alpha",), *large.sequences.training(0)),
        Stream(("beta",), *small.sequences.training(1)),
    ]
    plans = {m: plan_epoch(streams, 10, 8, 0, 0, 0, m) for m in TrainOptions.MIXES}
    count = {
        m: {n: [p.scope[0] for p in plan].count(n) for n in cat.domains}
        for m, plan in plans.items()
    }
    assert count["proportional"] == count["sequential"]
    assert count["proportional"]["alpha"] > 4 * count["proportional"]["beta"]
    assert count["balanced"]["alpha"] == count["balanced"]["beta"]
    assert 0 <= len(plans["balanced"]) - len(plans["proportional"]) < 2
    names = [p.scope[0] for p in plans["sequential"]]
    assert names == sorted(names)
    names = [p.scope[0] for p in plans["balanced"]]
    assert abs(names[: len(names) // 2].count("alpha") / (len(names) // 2) - 0.5) < 0.1
    # Small streams begin anew in another order, not with the same batches again.
    beta = [p.windows.starts[p.rows].tolist() for p in plans["balanced"] if p.scope == ("beta",)]
    assert len({str(rows) for rows in beta}) > count["proportional"]["beta"]


def test_a_share_of_the_users_is_part_of_a_larger_one() -> None:
    cat = builders.catalogue((30, 20))
    split = builders.planted(cat, users=200)

    def sequences(users: float) -> set[tuple[int, ...]]:
        stream = training_streams(split, cat, ["alpha"], "domain", users)[0]
        parts = np.split(stream.items, stream.offsets[1:-1])
        return {tuple(p.tolist()) for p in parts}

    whole, half, few = sequences(1.0), sequences(0.5), sequences(0.05)
    assert few < half < whole
    assert len(training_streams(split, cat, ["alpha"], "domain", 0.05)[0].offsets) == 1 + 5
    assert sequences(0.5) == half
