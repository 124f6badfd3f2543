"""Losses on mixed sequences: the items' domains, weights and negatives by user and domain."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models import losses
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.losses import draw_negatives


def domain_numbers(catalogue: Catalogue, domains: Sequence[str]) -> Tensor:
    """Index in `domains` of each global item's domain: int64 [I]; -1 for other domains' items."""
    numbers = torch.full((catalogue.n_items,), -1, dtype=torch.int64)
    for number, name in enumerate(domains):
        numbers[catalogue.span(name)] = number
    return numbers


def weights_by_domain(numbers: Tensor, count: int) -> Tensor:
    """Weights of "mean over users of the sum over domains of the mean over its targets".

    Args:
        numbers: int64 [B, L], domain number of each target; negative where there is none.
        count: number of domains.

    Returns:
        float32 [B, L]: 1 / (B * targets of the same domain in the row); 0 where there is none.
    """
    weights = torch.zeros(numbers.shape, device=numbers.device)
    for number in range(count):
        own = numbers == number
        weights += own / own.sum(1, keepdim=True).clamp_min(1)
    return weights / max(len(numbers), 1)


def per_user_weights(targets: Tensor, valid: Tensor, spans: Sequence[slice]) -> Tensor:
    """The same from rows of a table: float32 [B, L].

    Args:
        targets: int64 [B, L], rows of the scope's table.
        valid: bool [B, L], positions that are targets.
        spans: rows of each domain.
    """
    numbers = torch.full_like(targets, -1)
    for number, span in enumerate(spans):
        numbers[valid & (targets >= span.start) & (targets < span.stop)] = number
    return weights_by_domain(numbers, len(spans))


def negatives_by_domain(
    rows: Tensor,
    valid: Tensor,
    spans: Sequence[slice],
    draws: int,
    generator: torch.Generator,
) -> Tensor:
    """Negatives of every domain for each sequence, with replacement, never an event of its own.

    Args:
        rows: int64 [B, S], the sequence's events as rows of the domains' joined table.
        valid: bool [B, S], entries that are events.
        spans: rows of each domain in the joined table.
        draws: for each sequence and domain.
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


def by_position(drawn: Tensor, positions: int) -> Tensor:
    """Negatives of each position side by side, domain after domain.

    Args:
        drawn: int64 [B, domains, positions * K], see `negatives_by_domain`.
        positions: of a sequence.

    Returns:
        int64 [B, positions, domains * K].
    """
    beside: Tensor = drawn.unflatten(2, (positions, -1)).transpose(1, 2).flatten(2)
    return beside


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
