"""Losses against naive dense forms, values and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from recmerge_bench.toolkit.models import full_softmax, losses, sampled_scores


def data(n: int = 40, items: int = 23, width: int = 6) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    h = torch.randn(n, width, generator=g, requires_grad=True)
    e = torch.randn(items, width, generator=g, requires_grad=True)
    b = torch.randn(items, generator=g, requires_grad=True)
    return h, e, b, torch.randint(items, (n,), generator=g)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("block", [16 * 4 * 23, 8 << 20])
def test_full_softmax(
    with_bias: bool, weighted: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(full_softmax._BLOCK_BYTES, "cpu", block)
    h, e, b, t = data()
    bias, w = (b if with_bias else None), (torch.rand(len(t)) if weighted else None)
    inputs = [h, e, b] if with_bias else [h, e]
    got = losses.full_cross_entropy(h, e, t, bias, w, temperature=0.7)
    got_grads = torch.autograd.grad(got * 3, inputs)
    logits = (h @ e.T + (b if with_bias else 0)) / 0.7
    each = F.cross_entropy(logits, t, reduction="none")
    want = each.mean() if w is None else (each * w).sum()
    assert torch.allclose(got, want, rtol=1e-5)
    for x, y in zip(got_grads, torch.autograd.grad(want * 3, inputs), strict=True):
        assert torch.allclose(x, y, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(losses.full_cross_entropy(h, e, t, bias, w, 0.7), want, rtol=1e-5)


@pytest.mark.parametrize("ratio", [0, 10_000])
def test_choice_scores_both_ways(ratio: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_scores, "_PRODUCT_RATIO", ratio)
    h, e, b, _ = data()
    choices = torch.randint(23, (40, 5))
    got = losses.choice_scores(h, e, choices, b)
    want = (h[:, None] * e[choices]).sum(-1) + b[choices]
    assert torch.allclose(got, want, atol=1e-5)
    for x, y in zip(
        torch.autograd.grad((got**2).sum(), [h, e, b]),
        torch.autograd.grad((want**2).sum(), [h, e, b]),
        strict=True,
    ):
        assert torch.allclose(x, y, atol=1e-3)


def test_sampled_losses() -> None:
    positive, negative = torch.randn(9), torch.randn(9, 4)
    hits = torch.zeros(9, 4, dtype=torch.bool)
    hits[0, 1] = True
    got = losses.sampled_cross_entropy(positive, negative, 0.5, hits=hits)
    each = []
    for i in range(9):
        kept = negative[i][~hits[i]]
        each.append(-F.log_softmax(torch.cat([positive[i : i + 1], kept]) / 0.5, 0)[0])
    assert torch.allclose(got, torch.stack(each).mean(), rtol=1e-5)
    beta = losses.gbce_beta(101, 10, 0.75)
    good = -beta * torch.sigmoid(positive).log()
    bad = -(1 - torch.sigmoid(negative)).log().sum(1)
    want = ((good + bad) / 5).mean()
    assert torch.allclose(losses.binary_cross_entropy(positive, negative, beta), want, rtol=1e-4)


def test_gbce_ends() -> None:
    assert losses.gbce_beta(101, 10, 0.0) == pytest.approx(1.0)
    assert losses.gbce_beta(101, 10, 1.0) == pytest.approx(0.1)
    assert losses.gbce_beta(5, 100, 0.5) == pytest.approx(1.0)


def test_negatives_exclude_the_row_and_are_uniform() -> None:
    seen = torch.tensor([[3, 3, 0, 9], [1, 2, 0, 0]])
    valid = torch.tensor([[True, True, True, True], [True, True, False, False]])
    g = torch.Generator().manual_seed(1)
    drawn = losses.draw_negatives(seen, valid, 10, 20_000, g)
    for row, own in zip(drawn, ({3, 0, 9}, {1, 2}), strict=True):
        free = sorted(set(range(10)) - own)
        counts = torch.bincount(row, minlength=10)
        assert set(counts.nonzero().flatten().tolist()) == set(free)
        assert (counts[free] / 20_000 - 1 / len(free)).abs().max() < 0.02
    full = losses.draw_negatives(torch.tensor([[0, 1]]), torch.ones(1, 2) > 0, 2, 5, g)
    assert bool(((full >= 0) & (full < 2)).all())


def test_valid_tokens() -> None:
    assert losses.valid_tokens(torch.tensor([2, 0, 3]), 3).tolist() == [0, 1, 6, 7, 8]
