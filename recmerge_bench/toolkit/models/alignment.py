"""How a mixed sequence's events line up with the positions of each domain's own sequence.

Pure functions of domain numbers on right-padded grids; both alignments are compared in ABXI
(WWW 2025).
"""

from __future__ import annotations

import torch
from torch import Tensor


def task_guided(domains: Tensor, target_domains: Tensor, count: int) -> Tensor:
    """For each position the latest event, at or before it, of its *target's* domain.

    A domain's sequence has an entry wherever a next item of that domain is asked for, and that
    entry is the domain's last event known by then.

    Args:
        domains: int64 [B, L], domain number of each event; negative ones belong to none.
        target_domains: int64 [B, L], domain number of each event's target, negative
            where there is none.
        count: number of domains.

    Returns:
        int64 [B, L], column of the event; -1 where there is none.
    """
    columns = torch.arange(domains.shape[1], device=domains.device).expand_as(domains)
    source = torch.full_like(columns, -1)
    for number in range(count):
        latest = columns.masked_fill(domains != number, -1).cummax(1).values
        source = torch.where(target_domains == number, latest, source)
    return source


def by_timestamp(domains: Tensor) -> Tensor:
    """For each position its own event: a domain's sequence keeps its events where they were.

    Args:
        domains: int64 [B, L], domain number of each event; negative ones belong to none.

    Returns:
        int64 [B, L], column of the event; -1 where there is none.
    """
    columns = torch.arange(domains.shape[1], device=domains.device).expand_as(domains)
    return columns.masked_fill(domains < 0, -1)


def reverse_order(mask: Tensor) -> Tensor:
    """The last true entry of each row has 1, increasing towards the past; 0 where false.

    Args:
        mask: bool [B, L].

    Returns:
        int64 [B, L].
    """
    return mask.flip(1).cumsum(1).flip(1) * mask


def kept_columns(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Columns of the true entries of each row, in order.

    Args:
        mask: bool [B, L].

    Returns:
        int64 [B, K], K the largest number of true entries (at least 1), where a row with fewer
        ends in columns of false ones; and those numbers, int64 [B].
    """
    counts = mask.sum(1)
    size = max(int(counts.max()), 1)
    return (~mask).to(torch.uint8).sort(dim=1, stable=True).indices[:, :size], counts
