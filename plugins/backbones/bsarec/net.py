"""Blocks of attention beside a low-pass filter, whose matrix needs no padded slot."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.causal import from_the_end
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.encoder import Attention, init_weights
from recmerge_bench.toolkit.models.products import Linear
from recmerge_bench.toolkit.models.tables import build_tables

EPS = 1e-12


def prefixes(items: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Every prefix of right-padded sequences, in the order of `losses.valid_tokens`.

    Args:
        items: int64 [B, L].
        lengths: int64 [B].

    Returns:
        int64 [N, L] and their lengths, int64 [N]; N is the sum of `lengths`. What stands behind a
        prefix is what followed it.
    """
    owners = torch.repeat_interleave(torch.arange(len(items), device=items.device), lengths)
    ends = torch.cumsum(lengths, 0)
    own = torch.arange(len(owners), device=items.device) - (ends - lengths)[owners] + 1
    return items[owners], own


def low_pass(slots: int, c: int) -> Tensor:
    """What a low-pass filter over `slots` slots does to a slot at each distance.

    Setting all but the first ``c // 2 + 1`` frequencies of a real Fourier transform to zero is a
    circular convolution with ``h[t] = (1 + 2 * sum_f cos(2 pi f t / slots)) / slots``, f from 1 to
    ``c // 2`` (the frequency ``slots / 2`` counts once); h is even, so that no direction is told.

    Returns:
        float64 [slots].
    """
    distance = torch.arange(slots, dtype=torch.float64)
    kernel = torch.full((slots,), 1.0 / slots, dtype=torch.float64)
    for f in range(1, min(c // 2, slots // 2) + 1):
        times = 1.0 if 2 * f == slots else 2.0
        kernel += times / slots * torch.cos(2 * torch.pi * f * distance / slots)
    return kernel


class FilterLayer(nn.Module):
    """A block; see the module above.

    State dict: ``attention.*``, ``attention_norm.*``, ``beta`` [width], ``filter_norm.*``,
    ``inner.*``, ``outer.*``, ``inner_norm.*``.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of attention heads.
        share: dropout on attention weights and on every sub-layer's output.
        alpha: share of the filter.
    """

    def __init__(self, width: int, heads: int, share: float, alpha: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads, share)
        self.attention_norm = nn.LayerNorm(width, eps=EPS)
        self.beta = nn.Parameter(torch.empty(width))
        self.filter_norm = nn.LayerNorm(width, eps=EPS)
        self.inner = Linear(width, 4 * width)
        self.outer = Linear(4 * width, width)
        self.inner_norm = nn.LayerNorm(width, eps=EPS)
        self.dropout, self.alpha = share, alpha

    def forward(self, x: Tensor, low: Tensor) -> Tensor:
        """All positions: [B, L, width] to [B, L, width].

        Args:
            x: padding is zero unless `low` is causal.
            low: float [L, L], the low-pass filter.
        """
        return self._join(x, low @ x, self.attention(x, None, True))

    def last(self, x: Tensor, at: Tensor, low: Tensor, mask: Tensor) -> Tensor:
        """Position `at` (int64 [B]) alone: [B, L, width] to [B, width].

        Args:
            x: padding is zero.
            at: last positions.
            low: float [B, L], the rows of the filter for them.
            mask: bool [B, 1, 1, L], keys that are no padding.
        """
        own = x[torch.arange(len(x), device=x.device), at]
        return self._join(own, (low[:, None] @ x).squeeze(1), self.attention.last(own, x, mask))

    def _join(self, x: Tensor, low: Tensor, attended: Tensor) -> Tensor:
        filtered = low + self.beta.square() * (x - low)
        mixed = self.alpha * self.filter_norm(x + self._drop(filtered))
        mixed = mixed + (1 - self.alpha) * self.attention_norm(x + self._drop(attended))
        fed = self.outer(F.gelu(self.inner(mixed)))
        out: Tensor = self.inner_norm(mixed + self._drop(fed))
        return out

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, self.training)


class FilterNet(nn.Module):
    """Item tables, positions from the end, a norm, and the blocks.

    State dict: ``tables.<domain>``, ``positions`` [max_len, width] (row 0 is the last event's),
    ``norm.*``, ``layers.<n>.*`` (`FilterLayer`).

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        causal: whether each event is filtered as the last one of its prefix.
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: see `FilterLayer`; on the embeddings too.
        max_len: longest sequence, and the slots of the filter.
        c: see `low_pass`.
        alpha: share of the filter.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial vectors and maps.
    """

    kernel: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        *,
        causal: bool,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
        max_len: int,
        c: int,
        alpha: float,
        init: str,
        std: float,
    ) -> None:
        super().__init__()
        self.tables = build_tables(catalogue, domains, width, init, std, seed)
        generator = torch.Generator().manual_seed(seed)
        self.positions = nn.Parameter(torch.randn((max_len, width), generator=generator) * std)
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.layers = nn.ModuleList(
            FilterLayer(width, heads, dropout, alpha) for _ in range(layers)
        )
        init_weights(self, std, generator)
        for layer in self.layers:
            nn.init.normal_(layer.beta, generator=generator)  # type: ignore[arg-type]
        self.register_buffer("kernel", low_pass(max_len, c), persistent=False)
        self.causal, self.dropout = causal, dropout

    def forward(
        self, items: Tensor, lengths: Tensor, scope: Sequence[str], last_only: bool = False
    ) -> Tensor:
        """States after each event: [B, L, width], or [B, width] after the last ones.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
            scope: domains that the items are of.
            last_only: the last states alone; without `causal` the others know what follows them.
        """
        size = items.shape[1]
        places = torch.arange(size, device=items.device)
        real = places < lengths[:, None]
        x = self.tables.lookup(items, scope) + from_the_end(self.positions, lengths, size)
        x = self._only(dropout(self.norm(x), self.dropout, self.training), real)
        kernel = self.kernel.to(x.dtype)
        low = kernel[(places[:, None] - places).abs()]
        low = low.tril() if self.causal else low
        for layer in self.layers[:-1] if last_only else self.layers:
            x = self._only(layer(x, low), real)
        if not last_only:
            return x
        at = lengths - 1
        # Behind the last event there is only padding, which is zero: whole rows will do.
        row = kernel[(at[:, None] - places).abs()]
        final = self.layers[-1]
        assert isinstance(final, FilterLayer)
        return final.last(x, at, row, real[:, None, None])

    @staticmethod
    def _only(x: Tensor, real: Tensor) -> Tensor:
        """The states, those of padding zero."""
        return x * real[..., None]
