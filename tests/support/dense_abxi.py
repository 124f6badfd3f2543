"""ABXI as it is written: grids padded on the left, every masked token a zero vector and a key."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def states(net: Any, sequence: int, vectors: Tensor, mask: Tensor, latest: bool) -> Tensor:
    """States of one left-padded sequence: [B, L, width], or [B, width] at the last position."""
    parts, size = net.parts, net.sizes
    encoder = net.encoders[sequence if parts.separate else 0]
    order = mask.flip(1).cumsum(1).flip(1)
    x = (vectors + net.positions[(order - 1).clamp_min(0)]) * mask[..., None]
    attention = encoder.attention
    q = attention.query(x)
    k, v = attention.memory(x).chunk(2, -1)
    q, k, v = (t.unflatten(-1, (size.heads, -1)).transpose(1, 2) for t in (q, k, v))
    logits = q @ k.transpose(-1, -2) / (size.width / size.heads) ** 0.5
    future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
    mixed = logits.masked_fill(future, -torch.inf).softmax(-1) @ v
    h = encoder.norm(x + attention.out(mixed.transpose(1, 2).flatten(2))) * mask[..., None]
    if latest:
        # The release takes the last position before its mask is applied again.
        h = encoder.norm(x + attention.out(mixed.transpose(1, 2).flatten(2)))[:, -1]
        mask = torch.ones(len(h), dtype=torch.bool)
    total = h + encoder.feed_forward(h)
    if len(net.adapters):
        total = total + net.adapters[sequence](h)
    out: Tensor = net.norms[sequence](total) * mask[..., None]
    return out


def read_out(net: Any, x: Tensor, own: Tensor, d: int) -> Tensor:
    parts = net.parts
    if parts.bare:
        return net.own_norms[d](x + own)  # type: ignore[no-any-return]
    total = x
    if parts.shared_projector:
        total = total + net.shared_projector(x)
    if parts.invariant != "none":
        total = total + net.invariants[d](x)
    if parts.own_projectors:
        own = net.own_norms[d](own + net.own_projectors[d](own))
    return net.mixed_norms[d](total) + own  # type: ignore[no-any-return]


def padded(rows: list[list[int]], size: int) -> tuple[Tensor, Tensor]:
    grid = torch.zeros(len(rows), size, dtype=torch.int64)
    mask = torch.zeros(len(rows), size, dtype=torch.bool)
    for i, row in enumerate(rows):
        for j, item in enumerate(row):
            grid[i, size - len(row) + j] = max(item, 0)
            mask[i, size - len(row) + j] = item >= 0
    return grid, mask


def own_sequence(net: Any, row: list[int], d: int) -> list[int]:
    """A domain's own sequence beside the inputs row[:-1]; -1 where it has no token."""
    owner = [int(net.owners[i]) for i in row]
    collected = []
    for i in range(len(row) - 1):
        if not net.parts.task_guided:
            collected.append(row[i] if owner[i] == d else -1)
            continue
        before = [row[j] for j in range(i + 1) if owner[j] == d]
        collected.append(before[-1] if owner[i + 1] == d and before else -1)
    return collected


def training(net: Any, rows: list[list[int]], domains: int) -> Tensor:
    """States of the valid tokens, row by row: [N, width]."""
    size, width = net.sizes.max_len, net.sizes.width
    grid, mask = padded([row[:-1] for row in rows], size)
    answers, _ = padded([row[1:] for row in rows], size)
    x = states(net, 0, net.tables.lookup(grid), mask, False)
    out = torch.zeros(len(rows), size, width, dtype=x.dtype)
    for d in range(domains):
        own, own_mask = padded([own_sequence(net, row, d) for row in rows], size)
        h = states(net, 1 + d, net.tables.lookup(own), own_mask, False)
        asked = (net.owners[answers] == d) & mask
        out[asked] = read_out(net, x[asked], h[asked], d)
    return out[mask]


def looked_up(net: Any, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    grid, mask = padded(rows, net.sizes.max_len)
    return net.tables.lookup(grid), mask
