"""Item tables, positions from the end, and LiGR blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.causal import from_the_end
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.encoder import Attention, Stack
from recmerge_bench.toolkit.models.products import Linear
from recmerge_bench.toolkit.models.tables import build_tables


class LiGRLayer(nn.Module):
    """``x + sigmoid(gate(x)) * drop(f(norm(x)))`` for attention, then for SwiGLU.

    State dict: ``attention.*``, ``attention_norm.*``, ``attention_gate.*``, ``inner.weight`` (A,
    then B), ``outer.weight``, ``inner_norm.*``, ``inner_gate.*``.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of attention heads.
        inner: SwiGLU's inside.
        share: dropout on attention weights, inside SwiGLU and on both parts' outputs.
    """

    def __init__(self, width: int, heads: int, inner: int, share: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, share)
        self.attention_norm = nn.LayerNorm(width)
        self.attention_gate = Linear(width, width)
        self.inner = Linear(width, 2 * inner, bias=False)
        self.outer = Linear(inner, width, bias=False)
        self.inner_norm = nn.LayerNorm(width)
        self.inner_gate = Linear(width, width)
        self.dropout = share

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        """[B, L, width] to [B, L, width]; see `Attention`."""
        mixed = self.attention(self.attention_norm(x), mask, causal)
        return self._feed_forward(x + self._gated(self.attention_gate(x), mixed))

    def last(self, x: Tensor, at: Tensor, mask: Tensor | None) -> Tensor:
        """The same for position `at` (int64 [B]) alone: [B, L, width] to [B, width]."""
        rows = torch.arange(len(x), device=x.device)
        own, normed = x[rows, at], self.attention_norm(x)
        mixed = self.attention.last(normed[rows, at], normed, mask)
        return self._feed_forward(own + self._gated(self.attention_gate(own), mixed))

    def _feed_forward(self, x: Tensor) -> Tensor:
        gate, value = self.inner(self.inner_norm(x)).chunk(2, -1)
        fed = self.outer(self._drop(F.silu(gate) * value))
        return x + self._gated(self.inner_gate(x), fed)

    def _gated(self, gate: Tensor, x: Tensor) -> Tensor:
        return torch.sigmoid(gate) * self._drop(x)

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training)


class LiGRNet(nn.Module):
    """State dict: ``tables.<domain>``, ``positions`` [max_len, width] (row 0 is the last
    event's), ``encoder.layers.<n>.*`` (`LiGRLayer`).

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        inner: SwiGLU's inside.
        dropout: see `LiGRLayer`; on the embeddings too.
        max_len: longest sequence.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial item vectors.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        *,
        width: int,
        layers: int,
        heads: int,
        inner: int,
        dropout: float,
        max_len: int,
        init: str,
        std: float,
    ) -> None:
        super().__init__()
        self.tables = build_tables(catalogue, domains, width, init, std, seed)
        self.positions = nn.Parameter(torch.empty(max_len, width))
        blocks = (LiGRLayer(width, heads, inner, dropout) for _ in range(layers))
        self.encoder = Stack(blocks, dropout, nn.Identity())
        self._draw(torch.Generator().manual_seed(seed))

    def forward(
        self, items: Tensor, lengths: Tensor, scope: Sequence[str], last_only: bool = False
    ) -> Tensor:
        """States after each event, as `CausalNet` gives them."""
        x = self.tables.lookup(items, scope)
        x = x + from_the_end(self.positions, lengths, items.shape[1])
        even = last_only and bool((lengths == items.shape[1]).all())
        out: Tensor = self.encoder(x, None if even else lengths, True, last_only)
        return out

    def _draw(self, generator: torch.Generator) -> None:
        """Xavier normal maps and positions, zero biases; SwiGLU's two maps are drawn apart."""
        nn.init.xavier_normal_(self.positions, generator=generator)
        for part in self.encoder.modules():
            if isinstance(part, LiGRLayer):
                for weight in (*part.inner.weight.chunk(2), part.outer.weight):
                    nn.init.xavier_normal_(weight, generator=generator)
            elif isinstance(part, nn.Linear) and part.bias is not None:
                nn.init.xavier_normal_(part.weight, generator=generator)
                nn.init.zeros_(part.bias)
