"""T5's layers (Raffel et al., JMLR 2020), over grids: a few short rows of tokens for each user.

Root-mean-square norms before each sub-layer, no biases, unscaled attention, relative positions in
buckets that the layers of a stack share, ReLU inside, dropout on embeddings, attention weights,
inside the feed-forward and on what is added. Initial values are T5's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.toolkit.models.dropout import dropout

EPS = 1e-6
BUCKETS, FARTHEST = 32, 128


class RMSNorm(nn.Module):
    """``weight * x / rms(x)``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Shape kept."""
        return F.rms_norm(x, (x.shape[-1],), self.weight, EPS)


class Attention(nn.Module):
    """Attention without scaling and biases.

    Args:
        width: of inputs and outputs.
        heads: divide it.
        share: dropout on attention weights.
    """

    def __init__(self, width: int, heads: int, share: float) -> None:
        super().__init__()
        self.heads, self.share = heads, share
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, asking: Tensor, asked: Tensor, bias: Tensor) -> Tensor:
        """[A, Q, width] over [B, K, width]: [max(A, B), Q, width]; A or B may be 1.

        Args:
            asking: what queries are made of.
            asked: what keys and values are made of.
            bias: added to the scores; broadcasts to [.., heads, Q, K].
        """
        q, k, v = (
            self._parts(self.q, asking),
            self._parts(self.k, asked),
            self._parts(self.v, asked),
        )
        weights = dropout((q @ k.transpose(-1, -2) + bias).softmax(-1), self.share, self.training)
        out: Tensor = self.o((weights @ v).transpose(1, 2).flatten(2))
        return out

    def _parts(self, layer: nn.Linear, x: Tensor) -> Tensor:
        made: Tensor = layer(x)
        return made.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Module):
    """``W relu(V x)``."""

    def __init__(self, width: int, inner: int, share: float) -> None:
        super().__init__()
        self.share = share
        self.wi, self.wo = nn.Linear(width, inner, bias=False), nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Shape kept."""
        out: Tensor = self.wo(dropout(F.relu(self.wi(x)), self.share, self.training))
        return out


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each added to what went in."""

    def __init__(self, width: int, heads: int, inner: int, share: float) -> None:
        super().__init__()
        self.share = share
        self.norms = nn.ModuleList(RMSNorm(width) for _ in range(2))
        self.attention = Attention(width, heads, share)
        self.inside = FeedForward(width, inner, share)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """[B, T, width], with the bias of `Attention.forward`."""
        normed = self.norms[0](x)
        x = x + dropout(self.attention(normed, normed, bias), self.share, self.training)
        return x + dropout(self.inside(self.norms[1](x)), self.share, self.training)


class DecoderLayer(nn.Module):
    """Self-attention within short rows, attention to the user's history, feed-forward."""

    def __init__(self, width: int, heads: int, inner: int, share: float) -> None:
        super().__init__()
        self.share = share
        self.norms = nn.ModuleList(RMSNorm(width) for _ in range(3))
        self.attention = Attention(width, heads, share)
        self.cross = Attention(width, heads, share)
        self.inside = FeedForward(width, inner, share)

    def forward(
        self, x: Tensor, bias: Tensor, memory: Tensor, unseen: Tensor, last_only: bool = False
    ) -> Tensor:
        """[A, R, P, width] rows of P tokens: [B, R, P, width], or the last token alone of each.

        Args:
            x: A is B, or 1: the same rows for all users.
            bias: [heads, P, P], of the self-attention.
            memory: [B, T, width], the users' histories.
            unseen: broadcasts to [B, 1, R * P, T]; -inf where a token may not look.
            last_only: give [B, R, 1, width].
        """
        users, rows, size, width = x.shape
        normed = self.norms[0](x).flatten(0, 1)
        if last_only:
            x, size = x[:, :, -1:], 1
            made = self.attention(normed[:, -1:], normed, bias[:, -1:])
        else:
            made = self.attention(normed, normed, bias)
        x = x + dropout(made.view(users, rows, size, width), self.share, self.training)
        looked = self.cross(self.norms[1](x).flatten(1, 2), memory, unseen)
        looked = dropout(looked, self.share, self.training)
        x = x + looked.view(len(looked), rows, size, width)
        return x + dropout(self.inside(self.norms[2](x)), self.share, self.training)


def buckets(size: int, both_ways: bool, device: torch.device) -> Tensor:
    """T5's bucket of each key's distance from each query: int64 [size, size].

    Args:
        size: queries and keys.
        both_ways: half of the buckets are for keys after the query; else those count as at it.
        device: of the result.
    """
    at = torch.arange(size, device=device)
    ahead = at[None, :] - at[:, None]
    count, bucket = BUCKETS, torch.zeros_like(ahead)
    if both_ways:
        count //= 2
        bucket = torch.where(ahead > 0, count, 0)
        away = ahead.abs()
    else:
        away = (-ahead).clamp_min(0)
    exact = count // 2
    scale = (count - exact) / math.log(FARTHEST / exact)
    far = exact + (torch.log(away.clamp_min(1) / exact) * scale).long()
    return bucket + torch.where(away < exact, away, far.clamp_max(count - 1))


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """T5's initial values of all attentions and feed-forwards, in the order of the modules."""
    for part in module.modules():
        if isinstance(part, Attention):
            width = part.q.in_features
            _normal(part.q, (width * (width // part.heads)) ** -0.5, generator)
            for each in (part.k, part.v, part.o):
                _normal(each, width**-0.5, generator)
        elif isinstance(part, FeedForward):
            _normal(part.wi, part.wi.in_features**-0.5, generator)
            _normal(part.wo, part.wo.in_features**-0.5, generator)


def _normal(layer: nn.Linear, std: float, generator: torch.Generator) -> None:
    nn.init.normal_(layer.weight, std=std, generator=generator)
