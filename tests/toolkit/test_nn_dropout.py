"""Dropout from bytes: torch's in all but the random numbers."""

from __future__ import annotations

import pytest
import torch

from recmerge_bench.toolkit.models.dropout import dropout


@pytest.mark.parametrize("p", [0.5, 0.25, 0.125, 0.2])
def test_shares_scale_and_gradient(p: float) -> None:
    torch.manual_seed(0)
    x = torch.full((501, 403), 3.0, requires_grad=True)
    out = dropout(x, p, True)
    kept = out != 0
    # Five standard deviations of a share of 201,903 entries; each column and row likewise.
    assert abs(1 - kept.float().mean() - p) < 5 * (p * (1 - p) / kept.numel()) ** 0.5
    for dim in (0, 1):
        share = 1 - kept.float().mean(dim)
        assert (share - p).abs().max() < 6 * (p * (1 - p) / kept.shape[dim]) ** 0.5
    torch.testing.assert_close(
        out[kept], torch.full_like(out[kept], 3 / (1 - p)), rtol=1e-5, atol=0
    )
    out.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, kept / (1 - p), rtol=1e-5, atol=0)


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(1)
    kept = (dropout(torch.ones(1 << 18), 0.5, True) != 0).double() - 0.5
    for lag in (1, 2, 7, 8, 9, 64):
        mean = float((kept[lag:] * kept[:-lag]).mean())
        assert abs(mean) < 5 * 0.25 / (1 << 18) ** 0.5, lag


def test_repeats_with_the_seed_and_does_nothing_outside_training() -> None:
    x = torch.randn(7, 5)
    torch.manual_seed(2)
    first = dropout(x, 0.5, True)
    torch.manual_seed(2)
    assert torch.equal(dropout(x, 0.5, True), first)
    assert dropout(x, 0.5, False) is x and torch.equal(dropout(x, 0.0, True), x)
    assert dropout(x[:0], 0.5, True).shape == (0, 5)
    assert not dropout(x, 1.0, True).any()


@pytest.mark.parametrize("p", [1e-9, 1 - 1e-9])
def test_shares_finer_than_its_random_numbers(p: float) -> None:
    """Next to 1 it divided by zero."""
    out = dropout(torch.ones(64, 64), p, True)
    assert torch.isfinite(out).all() and float((out == 0).float().mean()) == round(p)
