"""SASRec's block as its authors released it: only queries are normed, residuals are normed too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.padded_attention import QueryMemory
from recmerge_bench.toolkit.models.products import Linear


def attend(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, share: float
) -> Tensor:
    """Softmax attention: torch's kernel, but where weights are dropped, which it does slower.

    Args:
        q: float [B, heads, Q, e].
        k: float [B, heads, K, e].
        v: float [B, heads, K, e].
        mask: bool, broadcast to [B, heads, Q, K], True attends; None: all do.
        causal: query i attends to the keys up to i (Q equals K), whatever `mask` says.
        share: dropout on the weights.

    Returns:
        float [B, heads, Q, e].
    """
    if share == 0:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
    logits = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if causal:
        mask = torch.ones(logits.shape[-2:], dtype=torch.bool, device=q.device).tril()
    if mask is not None:
        logits = logits.masked_fill(~mask, -torch.inf)
    return dropout(logits.softmax(-1), share, True).to(v.dtype) @ v


class QueryAttention(QueryMemory):
    """Multi-head attention of queries to tokens, as in SASRec's release: no output projection.

    (Its PyTorch ports have one, that of `nn.MultiheadAttention`.) Queries and tokens have maps
    of their own, since they are given different vectors.

    State dict: ``query.*`` and ``memory.*`` (keys, then values).

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of heads.
        dropout: on the attention weights while training.
    """

    def forward(self, queries: Tensor, tokens: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        """Attend.

        Args:
            queries: float [B, Q, width].
            tokens: float [B, K, width].
            mask: bool, broadcast to [B, heads, Q, K], True attends; None: all do.
            causal: query i attends to the tokens up to i (Q equals K), whatever `mask` says.

        Returns:
            float [B, Q, width].
        """
        q, k, v = self.split(queries, tokens)
        share = self.dropout if self.training else 0.0
        mixed = attend(q, k, v, None if causal else mask, causal, share)
        return mixed.transpose(1, 2).flatten(2)


class QueryNormLayer(nn.Module):
    """``q = norm(x); z = norm(q + attention(q, x)); out = z + feed_forward(z)``.

    The block of SASRec's released code (kang205/SASRec, `model.py` and `modules.py`). The paper
    prints another, ``x + drop(f(norm(x)))`` for both parts (section III-C), which is `Layer`
    with ``pre-norm``.

    Args:
        width: of the vectors and of the feed-forward's inside.
        attention: called with queries, tokens and what else `forward` is given.
        share: dropout behind both maps of the feed-forward.
        eps: of the norms.
    """

    def __init__(self, width: int, attention: nn.Module, share: float, eps: float) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(width, eps=eps)
        self.attention = attention
        self.inner_norm = nn.LayerNorm(width, eps=eps)
        self.inner = Linear(width, width)
        self.outer = Linear(width, width)
        self.dropout = share

    def forward(self, x: Tensor, *seen: Any) -> Tensor:
        """[B, L, width] to [B, L, width]; `seen` goes to the attention."""
        query = self.query_norm(x)
        return self._feed_forward(query + self.attention(query, x, *seen))

    def last(self, x: Tensor, at: Tensor, mask: Tensor | None) -> Tensor:
        """The same for position `at` (int64 [B]) alone: [B, L, width] to [B, width]."""
        query = self.query_norm(x[torch.arange(len(x), device=x.device), at])
        mixed = self.attention(query[:, None], x, mask, False)
        return self._feed_forward(query + mixed.squeeze(1))

    def _feed_forward(self, x: Tensor) -> Tensor:
        z = self.inner_norm(x)
        out: Tensor = z + self._drop(self.outer(self._drop(F.relu(self.inner(z)))))
        return out

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training)
