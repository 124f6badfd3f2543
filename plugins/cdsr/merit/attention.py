"""Multi-head attention over ragged sets of tokens, with one key for all that are empty."""

from __future__ import annotations

import torch
from recmerge_bench_plugins.cdsr.merit.tokens import Pattern
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.toolkit.models.padded_attention import check_heads
from recmerge_bench.toolkit.models.products import Linear, linear


class SinkAttention(nn.Module):
    """Equal to `torch.nn.MultiheadAttention` over left-padded sequences of fixed length.

    Padding (and any other zero vector) is attended to there, since nothing masks it: see
    `causal_pattern`. Here only real tokens are projected.

    Why this is no `PaddedAttention`, which does the same on grids: the tokens lie in no grid, are
    laid out and masked once for all layers (`Pattern`), and only then projected; grids would
    project the padding too. And it has the one matrix of `MultiheadAttention`, as the release: the
    norm that gradients are clipped by adds up in another order over two matrices, and the last bits
    of a training would differ from those behind the committed numbers.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads = heads
        self.in_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_bias = nn.Parameter(torch.zeros(3 * width))
        self.out = Linear(width, width)

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Initial values as in `MultiheadAttention`: Xavier for the one matrix of q, k and v.

        The output's weights are normal(0, std); biases 0.
        """
        nn.init.xavier_uniform_(self.in_weight, generator=generator)
        nn.init.zeros_(self.in_bias)
        nn.init.normal_(self.out.weight, std=std, generator=generator)
        nn.init.zeros_(self.out.bias)

    def forward(self, asking: Tensor, keys: Tensor, pattern: Pattern) -> Tensor:
        """What each query finds.

        Args:
            asking: [N, width], vectors of ``pattern.queries``.
            keys: [K, width], vectors of the sources' tokens, one source after the other.
            pattern: see `causal_pattern`.

        Returns:
            [N, width].
        """
        width, rows = self.out.in_features, len(pattern.bias)
        tokens = pattern.queries
        q = linear(asking, self.in_weight[:width], self.in_bias[:width], self.training)
        cells = tokens.rows * tokens.width + tokens.slots
        grid = q.new_zeros(rows * tokens.width, width).index_copy_(0, cells, q)
        both = linear(keys, self.in_weight[width:], self.in_bias[width:], self.training)
        sinks = self.in_bias[width:].to(both.dtype).expand(rows, -1)
        pairs = both.new_zeros(rows * pattern.width, 2 * width)
        pairs = pairs.index_copy_(0, pattern.places, torch.cat([both, sinks]))
        k, v = pairs.view(rows, pattern.width, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(
            grid.view(rows, tokens.width, self.heads, -1).transpose(1, 2),
            k,
            v,
            attn_mask=pattern.bias.to(q.dtype),
        )
        attended: Tensor = self.out(mixed.transpose(1, 2).reshape(-1, width).index_select(0, cells))
        return attended
