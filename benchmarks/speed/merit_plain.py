"""MERIT written straightforwardly, the other side of `merit_step.py` and `merit_loss.py`.

Left-padded grids of fixed length, every place computed; an expert at a time; negatives drawn in
Python for each position; the vectors of a position's negatives gathered into [B, L, n, width].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SwiGLU(nn.Module):
    """``(silu(x W1) * (x W2)) W3``."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, inner, bias=False)
        self.second = nn.Linear(width, inner, bias=False)
        self.third = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.third(F.silu(self.first(x)) * self.second(x))


class Attention(nn.Module):
    """Post-norm attention; keys of both halves are causal."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.mha = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
        size = x.shape[1]
        hidden = torch.ones(size, size, dtype=torch.bool, device=x.device).triu(1)
        hidden = hidden.repeat(1, keys.shape[1] // size)
        attended = self.mha(x, keys, keys, attn_mask=hidden, need_weights=False)[0]
        return self.norm(x + self.drop(attended)) * mask


class Mixture(nn.Module):
    """A shared expert and one for each of three outputs."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.shared = SwiGLU(width, inner)
        self.experts = nn.ModuleList(SwiGLU(width, inner) for _ in range(3))
        self.gates = nn.ModuleList(nn.Linear(width, 2, bias=False) for _ in range(3))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> list[Tensor]:
        outputs = []
        shared = self.shared(x)
        for expert, gate, norm in zip(self.experts, self.gates, self.norms, strict=True):
            weight = gate(x).softmax(-1)
            mixed = weight[..., :1] * shared + weight[..., 1:] * expert(x)
            outputs.append(norm(x + self.drop(mixed)) * mask)
        return outputs


class Block(nn.Module):
    """Post-norm SwiGLU."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.mlp, self.norm = SwiGLU(width, inner), nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.norm(x + self.drop(self.mlp(x))) * mask


class PlainMerit(nn.Module):
    """Two domains; item 0 is padding, then those of the first domain, then the second's."""

    def __init__(self, first: int, second: int, options: Any) -> None:
        super().__init__()
        o, self.first, self.size = options, first, options.max_len
        self.items = nn.Embedding(1 + first + second, o.width)
        self.positions = nn.Embedding(o.max_len + 1, o.width)
        self.drop = nn.Dropout(o.dropout)
        parts = {"mab"[i]: i for i in range(3)}
        self.attentions = nn.ModuleDict({p: Attention(o.width, o.heads, o.dropout) for p in parts})
        self.mixtures = nn.ModuleDict({p: Mixture(o.width, o.inside, o.dropout) for p in parts})
        self.crosses = nn.ModuleDict({p: Attention(o.width, o.heads, o.dropout) for p in parts})
        self.blocks = nn.ModuleDict({p: Block(o.width, o.inside, o.dropout) for p in parts})

    def forward(self, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Left-padded items [B, L] to final states of the three branches, [B, L, width]."""
        real, in_first = items > 0, (items > 0) & (items <= self.first)
        masks = {"m": real, "a": in_first, "b": real & ~in_first}
        out = {}
        for part, mask in masks.items():
            place = mask.flip(1).cumsum(1).flip(1) * mask
            wide = mask[..., None]
            x = self.drop((self.items(items) + self.positions(place)) * wide)
            x = self.attentions[part](x, x, wide)
            out[part] = self.mixtures[part](x, wide)
        keys = {
            "m": out["a"][1] + out["b"][1],
            "a": torch.cat([out["m"][1], out["b"][2]], 1),
            "b": torch.cat([out["m"][2], out["a"][2]], 1),
        }
        finals = []
        for part, mask in masks.items():
            x = self.crosses[part](out[part][0], keys[part], mask[..., None])
            finals.append(self.blocks[part](x, mask[..., None]))
        return finals[0], finals[1], finals[2]

    def info_nce(self, states: Tensor, targets: Tensor, negatives: Tensor, t: float) -> Tensor:
        """Mean over users of the sum over domains of the mean over targets (0: none)."""
        good = (states * self.items(targets)).sum(-1, keepdim=True)
        bad = (states[:, :, None] * self.items(negatives)).sum(-1)
        logits = torch.cat([good, bad], -1) / t
        each = logits.logsumexp(-1) - logits[..., 0]
        total = each.new_zeros(())
        for mask in ((targets > 0) & (targets <= self.first), targets > self.first):
            weights = mask / mask.sum(1, keepdim=True).clamp_min(1)
            total = total + (each * weights).sum(1).mean()
        return total


def grids(sequences: Sequence[Sequence[int]], first: int, size: int) -> tuple[np.ndarray, ...]:
    """Inputs, next items and next items of the same domain, left-padded: int64 [B, size].

    Args:
        sequences: training parts, items from 1.
        first: items of the first domain.
        size: fixed length.
    """
    arrays = np.zeros((3, len(sequences), size), np.int64)
    for row, events in enumerate(sequences):
        begin = size - (len(events) - 1)
        arrays[0, row, begin:], arrays[1, row, begin:] = events[:-1], events[1:]
        latest: dict[bool, int] = {}
        for at in range(len(events) - 1, 0, -1):
            latest[events[at] <= first] = events[at]
            arrays[2, row, begin + at - 1] = latest.get(events[at - 1] <= first, 0)
    return tuple(arrays)


def draw(
    sequences: Sequence[Sequence[int]],
    own: np.ndarray,
    first: int,
    second: int,
    count: int,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Distinct negatives of each position: int64 [B, L, 2 count] of both domains, and [B, L, count]
    of the domain of the position's target `own`."""
    both = np.zeros((*own.shape, 2 * count), np.int64)
    single = np.zeros((*own.shape, count), np.int64)
    for row, events in enumerate(sequences):
        pools = [np.arange(1, first + 1), np.arange(first + 1, first + second + 1)]
        pools = [pool[~np.isin(pool, events)] for pool in pools]
        for at in range(own.shape[1] - (len(events) - 1), own.shape[1]):
            drawn = [generator.choice(pool, count, replace=False) for pool in pools]
            both[row, at] = np.concatenate(drawn)
            if own[row, at]:
                pool = pools[int(own[row, at] > first)]
                single[row, at] = generator.choice(pool, count, replace=False)
    return both, single


def take_weights(plain: PlainMerit, net: Any) -> None:
    """Copy the weights of one of our nets."""
    a, b = net.domains
    names = {"m": "mixed", "a": f"of_{a}", "b": f"of_{b}"}
    with torch.no_grad():
        plain.items.weight[0].zero_()
        plain.items.weight[1:] = net.tables.scope_table(net.domains)
        plain.positions.weight.copy_(net.positions)
        for part, name in names.items():
            branch, transfer = net.branches[name], net.transfers[name]
            _attention(plain.attentions[part], branch.attention)
            _attention(plain.crosses[part], transfer.attention)
            mixture: Any = plain.mixtures[part]
            for number, expert in enumerate((mixture.shared, *mixture.experts)):
                _expert(expert, branch.ffn.experts, number)
            for number in range(3):
                mixture.gates[number].weight.copy_(branch.ffn.gate[number])
                mixture.norms[number].load_state_dict(branch.ffn.norms[number].state_dict())
            block: Any = plain.blocks[part]
            _expert(block.mlp, transfer.ffn.experts, 0)
            block.norm.load_state_dict(transfer.ffn.norm.state_dict())


def _attention(to: Any, ours: Any) -> None:
    to.mha.in_proj_weight.copy_(ours.mha.in_weight)
    to.mha.in_proj_bias.copy_(ours.mha.in_bias)
    to.mha.out_proj.load_state_dict(ours.mha.out.state_dict())
    to.norm.load_state_dict(ours.norm.state_dict())


def _expert(to: SwiGLU, ours: Any, number: int) -> None:
    to.first.weight.copy_(ours.up[number, 0])
    to.second.weight.copy_(ours.up[number, 1])
    to.third.weight.copy_(ours.down[number])
