"""Losses on mixed sequences: which domain an item is of, weights and negatives by domain."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models.losses import draw_negatives


def domain_numbers(catalogue: Catalogue, domains: Sequence[str]) -> Tensor:
    """Index in `domains` of each global item's domain: int64 [I]; -1 for other domains' items."""
    numbers = torch.full((catalogue.n_items,), -1, dtype=torch.int64)
    for number, name in enumerate(domains):
        numbers[catalogue.span(name)] = number
    return numbers


def weights_by_domain(goals: Tensor, count: int) -> Tensor:
    """Weights of "mean over users of the sum over domains of the mean over its targets".

    Args:
        goals: int64 [B, L], domain number of each target; negative where there is none.
        count: number of domains.

    Returns:
        float32 [B, L]: 1 / (B * targets of the same domain in the row); 0 where there is none.
    """
    weights = torch.zeros(goals.shape, device=goals.device)
    for number in range(count):
        own = goals == number
        weights += own / own.sum(1, keepdim=True).clamp_min(1)
    return weights / max(len(goals), 1)


def negatives_by_domain(
    rows: Tensor,
    valid: Tensor,
    spans: Sequence[slice],
    draws: int,
    generator: torch.Generator,
) -> Tensor:
    """Negatives of every domain for each user, with replacement, never an event of the user.

    Args:
        rows: int64 [B, S], the user's events as rows of the domains' joined table.
        valid: bool [B, S], entries that are events.
        spans: rows of each domain in the joined table.
        draws: for each user and domain.
        generator: on the device of `rows`.

    Returns:
        int64 [B, domains, draws], rows of the joined table.
    """
    parts = []
    for span in spans:
        own = valid & (rows >= span.start) & (rows < span.stop)
        size = span.stop - span.start
        drawn = draw_negatives(rows - span.start, own, size, draws, generator)
        parts.append(drawn + span.start)
    return torch.stack(parts, 1)
