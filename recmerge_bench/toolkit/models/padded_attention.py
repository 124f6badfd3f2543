"""Attention over grids in which masked tokens are zero vectors and yet keys: all in one key.

Some published models pad on the left, zero masked tokens before every attention and mask no key.
A masked token's key and value are then the projections' biases, the same for all of them, and
take part in the softmax. ``c`` equal keys are one key whose logit is larger by ``log c``, so that
no padding has to be computed: the result is the same up to rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.toolkit.models.products import Linear


def check_heads(width: int, heads: int) -> None:
    """Refuse a width that the heads cannot share.

    Raises:
        ValueError: it is no multiple of them.
    """
    if width % heads:
        raise ValueError(f"width {width} is not a multiple of {heads} heads")


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    sink: tuple[Tensor, Tensor],
    visible: Tensor,
    masked: Tensor,
    dropout: float = 0.0,
) -> Tensor:
    """Softmax attention over visible keys and a number of equal further ones.

    Args:
        queries: float [B, H, Q, e].
        keys: float [B, H, K, e].
        values: float [B, H, K, e].
        sink: key and value that all masked tokens share, float [H, e] each.
        visible: bool [B or 1, Q, K], keys that a query sees.
        masked: int64 [B, Q], number of masked tokens that a query sees besides, 0 or more. A
            query that sees nothing at all gets the sink's value.
        dropout: on the attention weights, as if each masked token were a key of its own (its
            weight is kept or dropped by itself: a binomial share of theirs).

    Returns:
        float [B, H, Q, e].
    """
    shape = (len(keys), -1, 1, -1)
    keys = torch.cat([keys, sink[0][None, :, None].expand(shape)], 2)
    values = torch.cat([values, sink[1][None, :, None].expand(shape)], 2)
    counts = torch.maximum(masked, (~visible.any(-1)).long()).to(queries.dtype)
    seen = torch.zeros(visible.shape, dtype=queries.dtype, device=queries.device)
    seen = seen.masked_fill(~visible, -torch.inf).expand(len(keys), -1, -1)
    bias = torch.cat([seen, counts.log()[..., None]], -1)[:, None]
    if dropout == 0:
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
    logits = queries @ keys.transpose(-1, -2) * queries.shape[-1] ** -0.5 + bias
    weights = logits.softmax(-1)
    each = F.dropout(weights[..., :-1], dropout)
    counts = counts[:, None].expand(weights.shape[:-1]).float()
    kept = torch.binomial(counts, torch.full_like(counts, 1 - dropout))
    share = kept / (counts.clamp_min(1) * (1 - dropout))
    return torch.cat([each, weights[..., -1:] * share[..., None]], -1).to(values.dtype) @ values


class QueryMemory(nn.Module):
    """The maps of multi-head attention whose queries and tokens are given different vectors.

    State dict: ``query.*`` and ``memory.*`` (keys, then values).

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of heads.
        dropout: on the attention weights while training.

    Raises:
        ValueError: `width` is no multiple of `heads`.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads, self.dropout = heads, dropout
        self.query = Linear(width, width)
        self.memory = Linear(width, 2 * width)

    def split(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values by head.

        Args:
            queries: float [B, Q, width].
            tokens: float [B, K, width].

        Returns:
            float [B, heads, Q, e], and twice [B, heads, K, e].
        """
        q = self.query(queries).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.memory(tokens).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v


class PaddedAttention(QueryMemory):
    """Multi-head attention with biases whose masked keys are counted, not computed.

    State dict: ``query.*``, ``memory.*`` (keys, then values) and ``out.*`` linears.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of heads.
        dropout: on the attention weights while training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__(width, heads, dropout)
        self.out = Linear(width, width)

    def forward(self, queries: Tensor, tokens: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """Attend.

        Args:
            queries: float [B, Q, width].
            tokens: float [B, K, width], from which keys and values are projected.
            visible: bool [B or 1, Q, K], see `attend`.
            masked: int64 [B, Q], see `attend`.

        Returns:
            float [B, Q, width].
        """
        q, k, v = self.split(queries, tokens)
        bias = self.memory.bias.to(k.dtype).view(2, self.heads, -1)
        share = self.dropout if self.training else 0.0
        mixed = attend(q, k, v, (bias[0], bias[1]), visible, masked, share)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def reset(self, generator: torch.Generator) -> None:
        """Xavier-uniform input projections (as one matrix), zero biases; `out` is left alone."""
        width = self.out.in_features
        bound = (6 / (4 * width)) ** 0.5
        with torch.no_grad():
            for part in (self.query, self.memory):
                part.weight.uniform_(-bound, bound, generator=generator)
                part.bias.zero_()
