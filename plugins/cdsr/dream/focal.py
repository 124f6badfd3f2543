"""Focal cross entropy (Lin et al., ICCV 2017) over items: ``-(1 - p)^gamma log p``.

`gamma` is 0 (plain cross entropy) or at least 1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Bytes of one block of logits.
_BLOCK_BYTES = {"cpu": 8 << 20, "cuda": 512 << 20}


def focal(chances: Tensor, gamma: float) -> Tensor:
    """Loss of each log p: float, the shape of `chances`."""
    if gamma == 0:
        return -chances
    return -((-torch.expm1(chances)).clamp_min(0.0) ** gamma) * chances


def focal_slope(chances: Tensor, gamma: float) -> Tensor:
    """Derivative of `focal` by log p."""
    if gamma == 0:
        return torch.full_like(chances, -1.0)
    other = (-torch.expm1(chances)).clamp_min(0.0)
    return gamma * other ** (gamma - 1) * chances.exp() * chances - other**gamma


def sampled_focal(
    scores: Tensor, temperature: float, gamma: float, weights: Tensor, hits: Tensor
) -> Tensor:
    """Of the first column among all: ``sum(weights * each)``.

    Args:
        scores: float [N, 1 + K], the target's and its negatives'.
        temperature: divides the scores.
        gamma: see `focal`.
        weights: float [N].
        hits: bool [N, K], negatives that are the target after all: left out.
    """
    logits = scores.float() / temperature
    logits = torch.cat([logits[:, :1], logits[:, 1:].masked_fill(hits, -torch.inf)], 1)
    chances = logits[:, 0] - logits.logsumexp(1)
    return (focal(chances, gamma) * weights).sum()


def full_focal(
    hidden: Tensor,
    table: Tensor,
    targets: Tensor,
    temperature: float,
    gamma: float,
    weights: Tensor,
) -> Tensor:
    """Over all items of a table: ``sum(weights * each)``; one block of logits is alive at a time.

    Args:
        hidden: float [N, width].
        table: float [I, width].
        targets: int64 [N], rows of the table.
        temperature: divides the scores.
        gamma: see `focal`.
        weights: float [N].
    """
    total: Tensor = _FullFocal.apply(  # type: ignore[no-untyped-call]
        hidden / temperature, table, targets, gamma, weights
    )
    return total


class _FullFocal(torch.autograd.Function):
    """The gradients are formed in the forward pass, block by block, as in `FullSoftmax`."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, table: Tensor, targets: Tensor, gamma: float, weights: Tensor
    ) -> Tensor:
        """hidden [N, d], table [I, d], targets int64 [N], weights [N]."""
        by_hidden, by_table = torch.zeros_like(hidden), torch.zeros_like(table)
        total = torch.zeros((), dtype=torch.float64, device=hidden.device)
        limit = _BLOCK_BYTES.get(hidden.device.type, 8 << 20)
        size = max(16, limit // (4 * len(table)))
        for first in range(0, len(hidden), size):
            part = slice(first, first + size)
            goal, weight = targets[part, None], weights[part, None]
            logits = (hidden[part] @ table.T).float()
            spread = logits.logsumexp(1, keepdim=True)
            chances = logits.gather(1, goal) - spread
            total += (focal(chances, gamma) * weight).sum(dtype=torch.float64)
            # d log p_t / d logits = onehot - softmax
            slope = focal_slope(chances, gamma) * weight
            change = logits.sub_(spread).exp_().mul_(-slope).scatter_add_(1, goal, slope)
            change = change.to(hidden.dtype)
            by_hidden[part] = change @ table
            by_table += change.T @ hidden[part]
        ctx.save_for_backward(by_hidden, by_table)
        return total.float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Scale what the forward pass formed."""
        by_hidden, by_table = ctx.saved_tensors
        return by_hidden * grad, by_table * grad, None, None, None
