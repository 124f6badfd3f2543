"""Blocks of gated pointwise attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.encoder import Stack
from recmerge_bench.toolkit.models.padded_attention import check_heads
from recmerge_bench.toolkit.models.products import Linear
from recmerge_bench.toolkit.models.tables import build_tables, truncated_normal

EPS = 1e-6


def unit(x: Tensor) -> Tensor:
    """Vectors of length one, or shorter where they are shorter than `EPS`."""
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(EPS)


class HSTULayer(nn.Module):
    """A block; see the module above.

    State dict: ``uvqk`` [width, 4 * width] (U, V, Q, K), ``distance`` [max_len] (how many events
    back), ``outer.*``.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of attention heads.
        share: dropout on what is projected at the end.
        max_len: longest sequence.
    """

    def __init__(self, width: int, heads: int, share: float, max_len: int) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads, self.dropout = heads, share
        self.uvqk = nn.Parameter(torch.empty(width, 4 * width))
        self.distance = nn.Parameter(torch.empty(max_len))
        self.outer = Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        """[B, L, width] to [B, L, width]; always causal, so that right-padding needs no mask."""
        u, v, q, k = self._parts(x)
        places = torch.arange(x.shape[1], device=x.device)
        back = places[:, None] - places
        bias = self.distance[back.clamp_min(0)]
        weights = F.silu(q @ k.transpose(-1, -2) + bias).masked_fill(back < 0, 0.0)
        return self._join(x, u, (weights @ v).transpose(1, 2).flatten(2))

    def last(self, x: Tensor, at: Tensor, mask: Tensor | None) -> Tensor:
        """Position `at` (int64 [B]) alone: [B, L, width] to [B, width]."""
        rows = torch.arange(len(x), device=x.device)
        u, v, q, k = self._parts(x)
        back = at[:, None] - torch.arange(x.shape[1], device=x.device)
        bias = self.distance[back.clamp_min(0)][:, None, None]
        weights = F.silu(q[rows, :, at][:, :, None] @ k.transpose(-1, -2) + bias)
        weights = weights.masked_fill((back < 0)[:, None, None], 0.0)
        return self._join(x[rows, at], u[rows, at], (weights @ v).flatten(1))

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """U [B, L, width]; V, Q and K [B, heads, L, e]."""
        normed = F.layer_norm(x, x.shape[-1:], eps=EPS)
        u, *rest = F.silu(normed @ self.uvqk).chunk(4, -1)
        v, q, k = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in rest)
        return u, v, q, k

    def _join(self, x: Tensor, u: Tensor, mixed: Tensor) -> Tensor:
        mixed = F.layer_norm(mixed / len(self.distance), mixed.shape[-1:], eps=EPS)
        out: Tensor = x + self.outer(dropout(u * mixed, self.dropout, self.training))
        return out


class HSTUNet(nn.Module):
    """State dict: ``tables.<domain>``, ``positions`` [max_len, width] (row 0 is the first
    event's), ``encoder.layers.<n>.*`` (`HSTULayer`).

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: see `HSTULayer`; on the embeddings too.
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
        dropout: float,
        max_len: int,
        init: str,
        std: float,
    ) -> None:
        super().__init__()
        self.tables = build_tables(catalogue, domains, width, init, std, seed)
        generator = torch.Generator().manual_seed(seed)
        self.positions = nn.Parameter(truncated_normal((max_len, width), width**-0.5, generator))
        blocks = (HSTULayer(width, heads, dropout, max_len) for _ in range(layers))
        self.encoder = Stack(blocks, dropout, nn.Identity())
        self._draw(generator)

    def forward(
        self, items: Tensor, lengths: Tensor, scope: Sequence[str], last_only: bool = False
    ) -> Tensor:
        """States of length one after each event, as `CausalNet` gives its own."""
        x = self.tables.lookup(items, scope)
        x = x * x.shape[-1] ** 0.5 + self.positions[: items.shape[1]]
        return unit(self.encoder(x, lengths, True, last_only))

    def _draw(self, generator: torch.Generator) -> None:
        """As the released code: normal(0, .02), and Xavier uniform for the last map."""
        for layer in self.encoder.layers:
            assert isinstance(layer, HSTULayer)
            nn.init.normal_(layer.uvqk, std=0.02, generator=generator)
            nn.init.normal_(layer.distance, std=0.02, generator=generator)
            nn.init.xavier_uniform_(layer.outer.weight, generator=generator)
            nn.init.zeros_(layer.outer.bias)
