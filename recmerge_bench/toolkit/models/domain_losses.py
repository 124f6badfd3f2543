"""Losses whose targets are weighed by user and domain, and whose negatives come by domain."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recmerge_bench.toolkit.models import losses
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions


def per_user_weights(goals: Tensor, valid: Tensor, spans: Sequence[slice]) -> Tensor:
    """``1 / (users * targets of the target's domain in its sequence)``: float32 [B, L].

    Weighted with it, a loss is the mean over users of the sum over domains of the mean over that
    domain's targets (the family's normalisation).

    Args:
        goals: int64 [B, L], rows of the scope's table.
        valid: bool [B, L], positions that are targets.
        spans: rows of each domain.
    """
    weights = torch.zeros(goals.shape, device=goals.device)
    for span in spans:
        own = valid & (goals >= span.start) & (goals < span.stop)
        weights += own / own.sum(1, keepdim=True).clamp_min(1)
    return weights / len(goals)


def negatives_by_domain(
    seen: Tensor,
    valid: Tensor,
    spans: Sequence[slice],
    each: int,
    count: int,
    generator: torch.Generator,
) -> Tensor:
    """Uniform negatives of every domain that the sequence does not hold.

    Args:
        seen: int64 [B, S], rows of the scope's table: the sequence's own items.
        valid: bool [B, S], entries of `seen` that count.
        spans: rows of each domain.
        each: positions of a sequence that need negatives.
        count: of each domain for each position.
        generator: on the device of `seen`.

    Returns:
        int64 [B * each, domains * count].
    """
    parts = []
    for span in spans:
        own = valid & (seen >= span.start) & (seen < span.stop)
        drawn = losses.draw_negatives(
            seen - span.start, own, span.stop - span.start, each * count, generator
        )
        parts.append(drawn.view(-1, count) + span.start)
    return torch.cat(parts, 1)


def next_item_loss(
    options: FamilyOptions,
    hidden: Tensor,
    table: Tensor,
    targets: Tensor,
    negatives: Tensor | None,
    weights: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    """The loss that ``options.loss`` names: ``sum(weights * each)``.

    Args:
        options: loss and temperature.
        hidden: float [N, width].
        table: float [I, width].
        targets: int64 [N], rows of the table.
        negatives: int64 [N, K], rows of the table; None for ``full``.
        weights: float [N].
        bias: float [I] or None.
    """
    o = options
    if negatives is None:
        return losses.full_cross_entropy(hidden, table, targets, bias, weights, o.temperature)
    choices = torch.cat([targets[:, None], negatives], 1)
    scores = losses.choice_scores(hidden, table, choices, bias)
    if o.loss == "bce":
        return losses.binary_cross_entropy(scores[:, 0], scores[:, 1:], weights=weights)
    hits = negatives == targets[:, None]
    return losses.sampled_cross_entropy(scores[:, 0], scores[:, 1:], o.temperature, weights, hits)
