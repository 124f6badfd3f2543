"""Focal cross entropy (Lin et al., ICCV 2017) over items: ``-(1 - p)^gamma log p``.

`gamma` is 0 (plain cross entropy) or at least 1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from recmerge_bench.toolkit.models.full_softmax import blocked_loss


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

    def terms(
        logits: Tensor, targets: Tensor, weights: Tensor
    ) -> tuple[Tensor, Callable[[], Tensor]]:
        spread = logits.logsumexp(1, keepdim=True)
        chances = logits.gather(1, targets) - spread
        loss = (focal(chances, gamma) * weights).sum(dtype=torch.float64)

        def by_logits() -> Tensor:  # d log p_t / d logits = onehot - softmax
            slope = focal_slope(chances, gamma) * weights
            return logits.sub_(spread).exp_().mul_(-slope).scatter_add_(1, targets, slope)

        return loss, by_logits

    return blocked_loss(hidden / temperature, table, None, targets, weights, terms, fused=False)
