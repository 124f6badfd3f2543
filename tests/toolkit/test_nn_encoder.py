"""Causality, padding and the last-position path."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from recmerge_bench.toolkit.models.encoder import Encoder, Order

LENGTHS = torch.tensor([7, 3, 1, 5])


def make(order: Order) -> tuple[Encoder, torch.Tensor]:
    torch.manual_seed(0)
    encoder = Encoder(16, 2, 2, 32, share=0.3, order=order).eval()
    return encoder, torch.randn(4, 7, 16)


@pytest.mark.parametrize("order", get_args(Order))
def test_causal_sees_no_future(order: Order) -> None:
    encoder, x = make(order)
    before = encoder(x, LENGTHS, causal=True)
    changed = x.clone()
    changed[:, 4] = torch.randn(4, 16)
    after = encoder(changed, LENGTHS, causal=True)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[0, 4:], after[0, 4:])


@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize("causal", [True, False])
def test_padding_and_batch_do_not_matter(order: Order, causal: bool) -> None:
    encoder, x = make(order)
    together = encoder(x, LENGTHS, causal)
    last = encoder(x, LENGTHS, causal, last_only=True)
    for i, n in enumerate(LENGTHS.tolist()):
        alone = encoder(x[i : i + 1, :n], None, causal)
        assert torch.allclose(together[i, :n], alone[0], atol=1e-5)
        assert torch.allclose(last[i], alone[0, -1], atol=1e-5)
        only = encoder(x[i : i + 1, :n], None, causal, last_only=True)
        assert torch.allclose(only[0], alone[0, -1], atol=1e-5)


def test_bidirectional_sees_the_future() -> None:
    encoder, x = make("post-norm")
    changed = x.clone()
    changed[0, 6] = torch.randn(16)
    moved = encoder(changed, LENGTHS, False) - encoder(x, LENGTHS, False)
    assert moved[0, 0].abs().max() > 1e-4
