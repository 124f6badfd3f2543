"""Scores of chosen items against a plain gather, values and both gradients, on both ways."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recmerge_bench.toolkit.models import sampled_scores


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 9), st.integers(1, 7), st.integers(1, 40), st.sampled_from([4, 16]),
    st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_values_and_gradients(
    tokens: int, count: int, items: int, width: int, products: bool, seed: int
) -> None:
    g = torch.Generator().manual_seed(seed)
    h = torch.randn(tokens, width, generator=g, dtype=torch.float64, requires_grad=True)
    e = torch.randn(items, width, generator=g, dtype=torch.float64, requires_grad=True)
    choices = torch.randint(items, (tokens, count), generator=g)
    slope = torch.randn(tokens, count, generator=g, dtype=torch.float64)
    plain = (h @ e.T).gather(1, choices)
    wanted = torch.autograd.grad((plain * slope).sum(), (h, e))
    if products:
        scores = sampled_scores._by_products(h, e, choices) if tokens else plain
        gradients = sampled_scores._products_gradients(h.detach(), e.detach(), choices, slope)
    else:
        scores = sampled_scores.chosen_scores(h, e, choices)
        if not tokens:
            assert scores.shape == (0, count)
            return
        gradients = torch.autograd.grad((scores * slope).sum(), (h, e))
    torch.testing.assert_close(scores, plain)
    for ours, theirs in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("items", [100, 40_000, 70_000])
def test_any_number_of_items(items: int) -> None:
    """Row numbers are sorted in the smallest type that holds them."""
    g = torch.Generator().manual_seed(0)
    h = torch.randn(3, 8, generator=g, requires_grad=True)
    e = torch.randn(items, 8, generator=g, requires_grad=True)
    choices = torch.randint(items, (3, 50), generator=g)
    choices[:, 0] = items - 1
    scores = sampled_scores.chosen_scores(h, e, choices)
    torch.testing.assert_close(scores, torch.einsum("nd,nkd->nk", h, e[choices]))
    (slope,) = torch.autograd.grad(scores.sum(), e)
    expected = torch.zeros(e.shape)
    expected.index_add_(0, choices.flatten(), h.detach().repeat_interleave(50, 0))
    torch.testing.assert_close(slope, expected)


def test_blocks_of_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_scores, "_BLOCK_BYTES", {"cpu": 4})
    g = torch.Generator().manual_seed(0)
    h, e = torch.randn(50, 8, generator=g), torch.randn(30, 8, generator=g)
    choices, slope = torch.randint(30, (50, 5), generator=g), torch.randn(50, 5, generator=g)
    torch.testing.assert_close(
        sampled_scores._by_products(h, e, choices), (h @ e.T).gather(1, choices)
    )
    grid = torch.zeros(50, 30).scatter_add_(1, choices, slope)
    ours = sampled_scores._products_gradients(h, e, choices, slope)
    torch.testing.assert_close(ours[0], grid @ e)
    torch.testing.assert_close(ours[1], grid.T @ h)


def test_half_precision_is_scored_in_single() -> None:
    h, e = torch.randn(3, 8).bfloat16().requires_grad_(), torch.randn(9, 8)
    scores = sampled_scores.chosen_scores(h, e, torch.tensor([[0, 1], [2, 3], [8, 8]]))
    assert scores.dtype == torch.float32
    scores.sum().backward()
    assert h.grad is not None and h.grad.dtype == torch.bfloat16
