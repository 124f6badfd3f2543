"""The encoder of SASRec's PyTorch ports: only queries are normed, masked tokens stay keys."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.nn.sink_grid import SinkGridAttention


class QueryNormLayer(nn.Module):
    """``q = norm(x); y = norm(q + attention(q, x, x)); out = y + feed_forward(y)``."""

    def __init__(self, width: int, heads: int, dropout: float, eps: float) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(width, eps=eps)
        self.attention = SinkGridAttention(width, heads, dropout)
        self.inner_norm = nn.LayerNorm(width, eps=eps)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.dropout = dropout

    def forward(self, x: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """[B, L, width] to [B, L, width]; for the other arguments see `SinkGridAttention`."""
        query = self.query_norm(x)
        x = self.inner_norm(query + self.attention(query, x, visible, masked))
        return x + self._drop(self.outer(F.relu(self._drop(self.inner(x)))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class QueryNormEncoder(nn.Module):
    """Positions, layers and a last norm over right-padded sequences; causal.

    State dict: ``positions`` [max_len, width], ``layers.<n>``, ``norm.*``.

    Args:
        width: of the vectors.
        layers: number of layers.
        heads: attention heads.
        dropout: on inputs, attention weights and both parts of the feed-forward.
        max_len: longest sequence.
        eps: of the norms.
    """

    def __init__(
        self,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
        max_len: int,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(max_len, width))
        self.layers = nn.ModuleList(
            QueryNormLayer(width, heads, dropout, eps) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=eps)
        self.dropout = dropout

    def forward(self, x: Tensor, masked: Tensor) -> Tensor:
        """Encode.

        Args:
            x: float [B, L, width], right-padded; the first event has the first position.
            masked: int64 [B, L], masked tokens (of the published grid, which is padded on the
                left) that each event sees besides the sequence's own events up to itself.

        Returns:
            float [B, L, width]; what stands in padding is meaningless.
        """
        size = x.shape[1]
        x = F.dropout(x + self.positions[:size], self.dropout, self.training)
        visible = torch.ones(1, size, size, dtype=torch.bool, device=x.device).tril()
        for layer in self.layers:
            x = layer(x, visible, masked)
        out: Tensor = self.norm(x)
        return out

    def reset(self, std: float, generator: torch.Generator) -> None:
        """Draw positions normal(0, std) and linears as torch does by default."""
        with torch.no_grad():
            self.positions.normal_(0.0, std, generator=generator)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                uniform_linear(part, generator)
        for part in self.modules():
            if isinstance(part, SinkGridAttention):
                part.reset(generator)
                nn.init.zeros_(part.out.bias)


def uniform_linear(part: nn.Linear, generator: torch.Generator) -> None:
    """Weights and biases uniform within 1 / sqrt(inputs), torch's default, from `generator`."""
    bound = part.in_features**-0.5
    with torch.no_grad():
        part.weight.uniform_(-bound, bound, generator=generator)
        if part.bias is not None:
            part.bias.uniform_(-bound, bound, generator=generator)
