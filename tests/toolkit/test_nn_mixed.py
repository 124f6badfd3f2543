"""Mixed sequences: alignment, masked keys folded into one, weights and negatives by domain."""

from __future__ import annotations

import builders
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recmerge_bench_plugins.cdsr.abxi.low_rank import LowRank
from torch import Tensor

from recmerge_bench.toolkit.models import domain_losses
from recmerge_bench.toolkit.models.alignment import (
    by_timestamp,
    kept_columns,
    reverse_order,
    task_guided,
)
from recmerge_bench.toolkit.models.padded_attention import PaddedAttention, attend


def own(items: Tensor, source: Tensor, chosen: Tensor) -> list[int]:
    """A domain's own sequence, 0 where it has no event."""
    vectors = items.gather(1, source.clamp_min(0)) * ((source >= 0) & chosen)
    return vectors[0].tolist()  # type: ignore[no-any-return]


def test_alignments_of_the_published_example() -> None:
    events = torch.tensor([[1, 2, 101, 3, 102, 103, 4, 5, 104, 6]])
    items, domains = events[:, :-1], (events > 100).long()
    here, answers = domains[:, :-1], domains[:, 1:]
    source = task_guided(here, answers, 2)
    assert own(items, source, answers == 0) == [1, 0, 2, 0, 0, 3, 4, 0, 5]
    assert own(items, source, answers == 1) == [0, 0, 0, 101, 102, 0, 0, 103, 0]
    source = by_timestamp(here)
    assert own(items, source, here == 0) == [1, 2, 0, 3, 0, 0, 4, 5, 0]
    assert own(items, source, here == 1) == [0, 0, 101, 0, 102, 103, 0, 0, 104]
    assert reverse_order(here == 0).tolist() == [[5, 4, 0, 3, 0, 0, 2, 1, 0]]


@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=9), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_task_guided_takes_the_latest_of_the_targets_domain(rows: list[list[int]]) -> None:
    size = max(map(len, rows)) - 1
    here, answers = (torch.full((len(rows), size), -1) for _ in range(2))
    for i, row in enumerate(rows):
        here[i, : len(row) - 1], answers[i, : len(row) - 1] = (
            torch.tensor(row[:-1]), torch.tensor(row[1:]),
        )  # fmt: skip
    states = task_guided(here, answers, 3)
    for i, row in enumerate(rows):
        for j in range(size):
            before = [k for k in range(j + 1) if j < len(row) - 1 and row[k] == row[j + 1]]
            assert int(states[i, j]) == (before[-1] if before else -1)


def test_compact_keeps_the_order() -> None:
    mask = torch.tensor([[False, True, False, True], [False] * 4, [True, True, False, True]])
    index, counts = kept_columns(mask)
    assert counts.tolist() == [2, 0, 3]
    assert index.shape == (3, 3)
    assert index[0, :2].tolist() == [1, 3] and index[2].tolist() == [0, 1, 3]


@given(
    st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=4),
    st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_masked_keys_are_one_key(rows: list[list[bool]], seed: int) -> None:
    """All tokens as keys, masked ones zero, against visible ones and a count."""
    torch.manual_seed(seed)
    layer = PaddedAttention(8, 2).double()
    mask = torch.tensor(rows)
    x = torch.randn(len(rows), 6, 8, dtype=torch.float64, requires_grad=True)
    tokens = x * mask[..., None]
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    none = torch.zeros(len(rows), 6, dtype=torch.int64)
    plain = layer(tokens, tokens, causal[None], none)
    visible = causal & mask[:, None]
    masked = torch.arange(1, 7) - visible.sum(2)
    short = layer(tokens, x, visible, masked)
    torch.testing.assert_close(short, plain, atol=1e-12, rtol=1e-9)
    grads = [
        torch.autograd.grad(
            (out * mask[..., None]).square().sum(), [x, *layer.parameters()], retain_graph=True
        )
        for out in (plain, short)
    ]
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-8)


def test_a_query_that_sees_nothing_is_finite() -> None:
    layer = PaddedAttention(4, 1)
    nothing = torch.zeros(1, 1, 3, dtype=torch.bool)
    out = layer(torch.randn(1, 1, 4), torch.randn(1, 3, 4), nothing, torch.zeros(1, 1).long())
    wanted = layer.out(layer.memory.bias[4:])
    torch.testing.assert_close(out[0, 0], wanted)


@pytest.mark.parametrize("folded", [False, True])
def test_dropout_of_folded_keys_has_the_moments_of_single_ones(folded: bool) -> None:
    torch.manual_seed(0)
    draws, masked = 40_000, 4
    q, k, v = torch.randn(1, 1, 1, 2), torch.randn(1, 1, 2, 2), torch.randn(1, 1, 2, 2)
    sink = torch.randn(1, 2), torch.randn(1, 2)
    exact = attend(q, k, v, sink, torch.ones(1, 1, 2, dtype=torch.bool), torch.full((1, 1), masked))
    if folded:
        count = torch.full((draws, 1), masked)
    else:
        k = torch.cat([k, sink[0].expand(1, 1, masked, 2)], 2)
        v = torch.cat([v, sink[1].expand(1, 1, masked, 2)], 2)
        count = torch.zeros(draws, 1, dtype=torch.int64)
    many = (t.expand(draws, -1, -1, -1) for t in (q, k, v))
    seen = torch.ones(1, 1, k.shape[2], dtype=torch.bool)
    out = attend(*many, sink, seen, count, 0.4)[:, 0, 0]
    assert torch.allclose(out.mean(0), exact[0, 0, 0], atol=0.02)
    spread = variance(q, k, v, sink, masked if folded else 0)
    assert torch.allclose(out.var(0), spread, rtol=0.05)


def variance(q: Tensor, k: Tensor, v: Tensor, sink: tuple[Tensor, Tensor], masked: int) -> Tensor:
    """Of dropped-out attention: sum over keys of (weight * value)^2 * p / (1 - p)."""
    keys = torch.cat([k[0, 0], sink[0].expand(masked, 2)])
    values = torch.cat([v[0, 0], sink[1].expand(masked, 2)])
    weights = (keys @ q[0, 0, 0] / 2**0.5).softmax(0)
    return (weights[:, None] * values).square().sum(0) * 0.4 / 0.6


def test_weights_give_each_domain_of_a_user_one_share() -> None:
    answers = torch.tensor([[0, 0, 1, -1], [1, 1, 1, 1]])
    weights = domain_losses.weights_by_domain(answers, 2)
    torch.testing.assert_close(weights, torch.tensor([[0.25, 0.25, 0.5, 0], [0.125] * 4]))


@given(st.lists(st.lists(st.integers(0, 49), max_size=8), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_negatives_are_of_their_domain_and_not_of_the_user(rows: list[list[int]]) -> None:
    events = torch.tensor([row + [0] * (8 - len(row)) for row in rows])
    valid = torch.arange(8) < torch.tensor([[len(row)] for row in rows])
    spans = [slice(0, 30), slice(30, 50)]
    generator = torch.Generator().manual_seed(1)
    drawn = domain_losses.negatives_by_domain(events, valid, spans, 30, generator)
    assert drawn.shape == (len(rows), 2, 30)
    for row, actual in zip(rows, drawn, strict=True):
        assert bool((actual[0] < 30).all()) and bool((actual[1] >= 30).all())
        assert not set(actual.flatten().tolist()) & set(row)


def test_domain_numbers() -> None:
    cat = builders.catalogue((2, 3, 1), ("a", "b", "c"))
    assert domain_losses.domain_numbers(cat, ("b", "c")).tolist() == [-1, -1, 0, 0, 0, 1]


def test_low_rank_maps_start_at_zero_and_have_their_rank() -> None:
    layer = LowRank(6, 2)
    layer.reset(torch.Generator().manual_seed(0))
    x = torch.randn(3, 6)
    assert float(layer(x).detach().abs().sum()) == 0
    with torch.no_grad():
        layer.down.normal_()
    torch.testing.assert_close(layer(x), x @ (layer.up @ layer.down).T)
    assert int(torch.linalg.matrix_rank(layer(torch.eye(6)).detach())) == 2
