"""The encoder of C2DSR: query-normed layers whose masked tokens stay keys."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.padded_attention import PaddedAttention
from recmerge_bench.toolkit.models.query_prenorm import QueryNormLayer


class QueryNormEncoder(nn.Module):
    """Positions, layers and a last norm over right-padded sequences; causal (C2DSR's encoder).

    Masked tokens stay keys, as in SASRec's PyTorch ports.

    State dict: ``positions`` [max_len, width], ``layers.<n>``, ``norm.*``.

    Args:
        width: of the vectors.
        layers: number of layers.
        heads: number of attention heads.
        share: dropout on inputs, attention weights and both parts of the feed-forward.
        max_len: longest sequence.
        eps: of the norms.
    """

    def __init__(
        self,
        width: int,
        layers: int,
        heads: int,
        share: float,
        max_len: int,
        eps: float = 1e-8,
    ) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(max_len, width))
        self.layers = nn.ModuleList(
            QueryNormLayer(width, PaddedAttention(width, heads, share), share, eps)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=eps)
        self.dropout = share

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
        x = dropout(x + self.positions[:size], self.dropout, self.training)
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
            if isinstance(part, PaddedAttention):
                part.reset(generator)
                nn.init.zeros_(part.out.bias)


def uniform_linear(part: nn.Linear, generator: torch.Generator) -> None:
    """Weights and biases uniform within 1 / sqrt(inputs), torch's default, from `generator`."""
    bound = part.in_features**-0.5
    with torch.no_grad():
        part.weight.uniform_(-bound, bound, generator=generator)
        if part.bias is not None:
            part.bias.uniform_(-bound, bound, generator=generator)
