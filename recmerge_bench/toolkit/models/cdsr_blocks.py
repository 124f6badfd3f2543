"""Blocks of the MERIT family of cross-domain models (ABXI, WWW 2025; MERIT, MM 2025).

Sequences are right-padded and masked by their lengths: a padded position is no key. (The
published models keep masked tokens as keys of zero input, which work as a sink; nothing here
does.)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.seeds import beside_the_net, second_tables
from recmerge_bench.toolkit.models.causal import (
    ORDERS,
    causal_encoder,
    from_the_end,
    item_scale,
    start_positions,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.encoder import init_weights
from recmerge_bench.toolkit.models.products import Linear, linear
from recmerge_bench.toolkit.models.swiglu import SwiGLU
from recmerge_bench.toolkit.models.tables import ItemTables, build_tables, truncated_normal


class FamilyAttention(nn.Module):
    """Multi-head attention with biases and no dropout inside; queries and memory may differ.

    Args:
        width: of the vectors; a multiple of `heads`.
        heads: number of heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """Attend.

        Args:
            x: queries, float [B, T, width].
            memory: keys and values, float [B, S, width]; None: `x` itself.
            mask: bool, broadcast to [B, T, S], True attends; a query without any key gives zero.
            causal: for `x` itself, in the place of a mask.

        Returns:
            float [B, T, width].
        """
        if memory is None:
            parts = self.qkv(x).chunk(3, -1)
        else:
            weight, bias, w = self.qkv.weight, self.qkv.bias, self.width
            keys_values = linear(memory, weight[w:], bias[w:], self.training).chunk(2, -1)
            parts = (linear(x, weight[:w], bias[:w], self.training), *keys_values)
        q, k, v = (p.unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in parts)
        if mask is None:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
            return self._joined(mixed)
        some = mask.any(-1, keepdim=True)
        # A row of the softmax without any key would be NaN: it sees all, and is zeroed after.
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=(mask | ~some)[:, None])
        return self._joined(mixed).masked_fill(~some, 0.0)

    def _joined(self, mixed: Tensor) -> Tensor:
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class FamilyBlock(nn.Module):
    """``u = LN(x + drop(MHA(x, memory)))``, then ``LN(u + drop(SwiGLU(u)))`` (spec of MERIT)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = FamilyAttention(width, heads)
        self.attention_norm = nn.LayerNorm(width)
        self.inner = SwiGLU(width, max(8, 8 * width // 3 // 8 * 8))  # 8/3 of it in steps of 8
        self.inner_norm = nn.LayerNorm(width)
        self.dropout = dropout

    def forward(
        self,
        x: Tensor,
        memory: Tensor | None = None,
        mask: Tensor | None = None,
        causal: bool = False,
    ) -> Tensor:
        """[B, T, width] to [B, T, width]; arguments as those of `FamilyAttention`."""
        mixed = self.attention(x, memory, mask, causal)
        x = self.attention_norm(x + F.dropout(mixed, self.dropout, self.training))
        fed = F.dropout(self.inner(x), self.dropout, self.training)
        out: Tensor = self.inner_norm(x + fed)
        return out


class FamilyEncoder(nn.Module):
    """A stack of `FamilyBlock` s, called as `Encoder` is."""

    def __init__(self, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.layers = nn.ModuleList(FamilyBlock(width, heads, dropout) for _ in range(layers))

    def forward(
        self, x: Tensor, lengths: Tensor | None, causal: bool, last_only: bool = False
    ) -> Tensor:
        """See `Encoder.forward`."""
        mask = None
        if lengths is not None and not causal:
            mask = inside(lengths, x.shape[1])[:, None]
        x = F.dropout(x, self.dropout, self.training)
        for layer in self.layers:
            x = layer(x, None, mask, causal)
        if not last_only:
            return x
        return x[:, -1] if lengths is None else last_state(x, lengths)


def inside(lengths: Tensor, size: int) -> Tensor:
    """Positions of right-padded sequences that are no padding: bool [B, size]."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def last_state(x: Tensor, lengths: Tensor) -> Tensor:
    """Each sequence's last state: [B, L, width] to [B, width]; the first where one is empty."""
    rows = torch.arange(len(x), device=x.device)
    return x[rows, (lengths - 1).clamp_min(0)]


def build_encoder(options: FamilyOptions) -> nn.Module:
    """The encoder that ``options.block`` names, initial values yet to be drawn."""
    o = options
    if o.block in ORDERS:
        return causal_encoder(o.block, o.width, o.layers, o.heads, o.dropout)
    return FamilyEncoder(o.width, o.layers, o.heads, o.dropout)


def init_family(module: nn.Module, generator: torch.Generator) -> None:
    """Linear weights normal(0, 0.02), queries, keys and values Xavier-uniform, biases 0.

    As in the family's released code, where the one rule misses the attention's joint projection.

    Args:
        module: whose linears and norms are set, in the order of `modules()`.
        generator: on the CPU; the only source of randomness.
    """
    init_weights(module, 0.02, generator)
    for part in module.modules():
        if isinstance(part, FamilyAttention):
            nn.init.xavier_uniform_(part.qkv.weight, generator=generator)


def init_for(module: nn.Module, options: FamilyOptions, generator: torch.Generator) -> None:
    """Draw the values that go with ``options.block``."""
    if options.block in ORDERS:
        init_weights(module, options.width**-0.5, generator)
    else:
        init_family(module, generator)


def family_tables(
    catalogue: Catalogue, domains: Sequence[str], options: FamilyOptions, seed: int, stream: int = 0
) -> ItemTables:
    """Item tables as `build_tables` makes them; random ones of ``swiglu`` nets are within 2 std.

    Args:
        catalogue: the items.
        domains: domains to hold.
        options: width, init, std and block.
        seed: of the run.
        stream: tells a net's second set of random tables from its first.
    """
    o = options
    init = "truncated" if o.init == "random" and o.block not in ORDERS else o.init
    return build_tables(catalogue, domains, o.width, init, o.std, second_tables(seed, stream))


def family_positions(options: FamilyOptions, rows: int, generator: torch.Generator) -> nn.Parameter:
    """Position vectors [rows, width] with the values that go with ``options.block``."""
    o, shape = options, (rows, options.width)
    if o.block in ORDERS:
        return start_positions(o.block, shape, o.std, generator)
    return nn.Parameter(truncated_normal(shape, o.std, generator))


def more_draws(seed: int) -> torch.Generator:
    """Source of initial values of what a model has besides a `FamilyNet`."""
    return torch.Generator().manual_seed(beside_the_net(seed))


class FamilyNet(nn.Module):
    """Item tables, learned positions and one encoder.

    State dict: ``tables.<domain>``, ``positions`` [max_len + extra, width], ``encoder.*``.
    With ``block: sasrec`` and ``positions: reverse``, or ``sasrec-prenorm`` and ``forward``, it
    is the `CausalNet` of that block, value for value.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        options: see `FamilyOptions`.
        extra: positions above ``max_len``.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        options: FamilyOptions,
        extra: int = 0,
    ) -> None:
        super().__init__()
        self.spans = {name: catalogue.span(name) for name in domains}
        self.order = options.positions
        self.tables = family_tables(catalogue, domains, options, seed)
        generator = torch.Generator().manual_seed(seed)
        self.scale = item_scale(options.block, options.width)
        self.positions = family_positions(options, options.max_len + extra, generator)
        self.encoder = build_encoder(options)
        init_for(self.encoder, options, generator)

    def forward(
        self, items: Tensor, lengths: Tensor, scope: Sequence[str], last_only: bool = False
    ) -> Tensor:
        """States after each event: [B, L, width], or [B, width] after the last ones.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
            scope: domains that the items are of.
            last_only: see `Encoder.forward`.
        """
        x = self.embed(items, lengths, scope)
        even = last_only and bool((lengths == items.shape[1]).all())
        out: Tensor = self.encoder(x, None if even else lengths, True, last_only)
        return out

    def embed(self, items: Tensor, lengths: Tensor, scope: Sequence[str]) -> Tensor:
        """Item, times the block's `item_scale`, plus position: [B, L, width]."""
        return self.scaled(self.tables.lookup(items, scope)) + self.places(lengths, items.shape[1])

    def scaled(self, vectors: Tensor) -> Tensor:
        """Item vectors as the block takes them in, the shape of `vectors`."""
        return vectors if self.scale == 1.0 else vectors * self.scale

    def places(self, lengths: Tensor, size: int) -> Tensor:
        """Position vectors: [size, width], or [B, size, width] where they count backwards."""
        if self.order == "forward":
            return self.positions[:size]
        return from_the_end(self.positions, lengths, size)

    def of_domain(self, items: Tensor, domain: str) -> Tensor:
        """Which global items are of the domain: bool, the shape of `items`."""
        span = self.spans[domain]
        own: Tensor = (items >= span.start) & (items < span.stop)
        return own
