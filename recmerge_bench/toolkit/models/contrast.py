"""Contrastive losses within a batch, on cosines."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def paired_infonce(
    left: Tensor, right: Tensor, temperature: float, labels: Tensor | None = None
) -> Tensor:
    """Each row's partner told from the other rows' partners, in both directions.

    Args:
        left: float [N, width].
        right: float [N, width]; row n is the partner of ``left[n]``.
        temperature: divides the cosines.
        labels: int64 [N]; rows with the same label are no negatives of each other.

    Returns:
        The mean, a scalar; zero for fewer than two rows.
    """
    if len(left) < 2:
        return (left.sum() + right.sum()) * 0.0
    scores = F.normalize(left.float(), dim=-1) @ F.normalize(right.float(), dim=-1).T / temperature
    if labels is not None:
        twice = labels[:, None] == labels
        twice.fill_diagonal_(False)
        scores = scores.masked_fill(twice, -torch.inf)
    goal = torch.arange(len(left), device=left.device)
    return (F.cross_entropy(scores, goal) + F.cross_entropy(scores.T, goal)) / 2


def supervised_contrast(views: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Rows of one label together, all others apart (Khosla et al., NeurIPS 2020, eq. 2).

    Args:
        views: float [N, width].
        labels: int64 [N]; every label stands for two rows or more.
        temperature: divides the cosines.

    Returns:
        The mean over rows of the mean over their positives, a scalar.
    """
    unit = F.normalize(views.float(), dim=-1)
    self_mask = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    scores = (unit @ unit.T / temperature).masked_fill(self_mask, -torch.inf)
    chances = scores - scores.logsumexp(1, keepdim=True)
    same = (labels[:, None] == labels) & ~self_mask
    each = chances.masked_fill(~same, 0.0).sum(1) / same.sum(1)
    return -each.mean()
