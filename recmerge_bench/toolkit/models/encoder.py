"""A transformer encoder on `scaled_dot_product_attention` with blocks of three kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.padded_attention import check_heads
from recmerge_bench.toolkit.models.products import Linear
from recmerge_bench.toolkit.models.query_prenorm import QueryAttention, QueryNormLayer, attend

Order = Literal["query-norm", "pre-norm", "post-norm"]


class Attention(nn.Module):
    """Multi-head self-attention; one projection for queries, keys and values.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of heads.
        dropout: on the attention weights while training.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        check_heads(width, heads)
        self.heads, self.dropout = heads, dropout
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        """All positions: [B, L, width] to [B, L, width]; `mask` is bool, True attends."""
        parts = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        share = self.dropout if self.training else 0.0
        mixed = attend(parts[0], parts[1], parts[2], mask, causal, share)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def last(self, query: Tensor, x: Tensor, mask: Tensor | None) -> Tensor:
        """One position: query [B, width] against all of x [B, L, width] to [B, width]."""
        width = query.shape[-1]
        weight, bias = self.qkv.weight, self.qkv.bias
        q = F.linear(query, weight[:width], bias[:width]).unflatten(-1, (self.heads, 1, -1))
        rest = F.linear(x, weight[width:], bias[width:])
        k, v = rest.unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = attend(q, k, v, mask, False, self.dropout if self.training else 0.0)
        out: Tensor = self.out(mixed.flatten(1))
        return out


class Layer(nn.Module):
    """Attention and a two-layer feed-forward, each with dropout on its output and a residual.

    Pre-norm is ``x + drop(f(norm(x)))`` (as SASRec's paper prints it, section III-C), post-norm
    ``norm(x + drop(f(x)))`` (BERT4Rec, eq. 4).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        share: float,
        pre_norm: bool,
        activation: str,
        eps: float,
        attention_share: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = Attention(width, heads, attention_share)
        self.attention_norm = nn.LayerNorm(width, eps=eps)
        self.inner = Linear(width, inner)
        self.outer = Linear(inner, width)
        self.inner_norm = nn.LayerNorm(width, eps=eps)
        self.dropout = share
        self.pre_norm = pre_norm
        choices: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}
        self.activation = choices[activation]

    def forward(self, x: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
        """[B, L, width] to [B, L, width]."""
        if self.pre_norm:
            x = x + self._drop(self.attention(self.attention_norm(x), mask, causal))
        else:
            x = self.attention_norm(x + self._drop(self.attention(x, mask, causal)))
        return self._feed_forward(x)

    def last(self, x: Tensor, at: Tensor, mask: Tensor | None) -> Tensor:
        """The same for position `at` (int64 [B]) alone: [B, L, width] to [B, width]."""
        rows = torch.arange(len(x), device=x.device)
        normed = self.attention_norm(x) if self.pre_norm else x
        residual = x[rows, at] + self._drop(self.attention.last(normed[rows, at], normed, mask))
        return self._feed_forward(residual if self.pre_norm else self.attention_norm(residual))

    def _feed_forward(self, x: Tensor) -> Tensor:
        if self.pre_norm:
            return x + self._drop(self._ffn(self.inner_norm(x)))
        out: Tensor = self.inner_norm(x + self._drop(self._ffn(x)))
        return out

    def _ffn(self, x: Tensor) -> Tensor:
        out: Tensor = self.outer(self.activation(self.inner(x)))
        return out

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training)


class Stack(nn.Module):
    """Layers one after the other over right-padded sequences, with dropout before the first.

    State dict: ``layers.<n>.*`` and ``norm.*``.

    Args:
        layers: at least one, each called with states, mask and whether it is causal, as `Layer`
            is; the last one has a ``last`` as `Layer` has it.
        share: dropout on the input.
        norm: what the states pass at the end.
    """

    def __init__(self, layers: Iterable[nn.Module], share: float, norm: nn.Module) -> None:
        super().__init__()
        self.dropout = share
        self.layers = nn.ModuleList(layers)
        self.norm = norm

    def forward(
        self, x: Tensor, lengths: Tensor | None, causal: bool, last_only: bool = False
    ) -> Tensor:
        """Encode.

        Args:
            x: float [B, L, width], right-padded.
            lengths: int64 [B], each at least 1; None where every sequence fills L, which spares
                the mask.
            causal: a position sees itself and what is before it; else all of its sequence.
            last_only: give only each sequence's last position; the last layer then works on
                that position alone.

        Returns:
            [B, L, width] (what stands in padding is meaningless), or [B, width].
        """
        mask = None if lengths is None else _key_mask(lengths, x.shape[1])
        # Right-padded keys are in the future of every true position: causal needs no mask.
        inside = None if causal else mask
        x = dropout(x, self.dropout, self.training)
        for layer in self.layers[:-1] if last_only else self.layers:
            x = layer(x, inside, causal)
        if last_only:
            full = torch.full((len(x),), x.shape[1], device=x.device)
            last: Any = self.layers[-1].last
            x = last(x, (full if lengths is None else lengths) - 1, mask)
        out: Tensor = self.norm(x)
        return out


class Encoder(Stack):
    """A stack of self-attention layers over right-padded sequences.

    Args:
        width: of the vectors.
        layers: number of layers, at least 1.
        heads: number of attention heads.
        inner: width of the feed-forward's inside; not for ``query-norm``, which has `width`.
        share: dropout on the input, and on every sub-layer's output (``pre-norm``,
            ``post-norm``: the printed equations have none inside the attention) or on the
            attention weights and behind both maps of the feed-forward (``query-norm``).
        order: ``query-norm`` (`QueryNormLayer`, SASRec as released), ``pre-norm`` or
            ``post-norm`` (`Layer`); the first two have one more norm at the end.
        activation: ``relu`` or ``gelu``; not for ``query-norm``, which has ``relu``.
        eps: of the norms.
        attention_share: dropout on the attention weights besides; not for ``query-norm``.
    """

    def __init__(
        self,
        width: int,
        layers: int,
        heads: int,
        inner: int,
        share: float,
        order: Order,
        activation: str = "gelu",
        eps: float = 1e-8,
        attention_share: float = 0.0,
    ) -> None:
        def layer() -> nn.Module:
            if order == "query-norm":
                return QueryNormLayer(width, QueryAttention(width, heads, share), share, eps)
            return Layer(
                width, heads, inner, share, order == "pre-norm", activation, eps, attention_share
            )

        norm = nn.Identity() if order == "post-norm" else nn.LayerNorm(width, eps=eps)
        super().__init__((layer() for _ in range(layers)), share, norm)


def _key_mask(lengths: Tensor, size: int) -> Tensor:
    """Keys that are no padding: bool [B, 1, 1, size]."""
    positions = torch.arange(size, device=lengths.device)
    return (positions < lengths[:, None])[:, None, None, :]


def init_weights(module: nn.Module, std: float, generator: torch.Generator) -> None:
    """Draw linear weights normal(0, std); biases 0, norms 1 and 0.

    Args:
        module: whose linears and norms are set, in the order of `modules()`.
        std: standard deviation.
        generator: on the CPU; the only source of randomness.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            with torch.no_grad():
                part.weight.normal_(0.0, std, generator=generator)
                if part.bias is not None:
                    part.bias.zero_()
        elif isinstance(part, nn.LayerNorm):
            part.reset_parameters()
