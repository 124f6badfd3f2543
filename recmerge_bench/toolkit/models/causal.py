"""The net of SASRec and its relatives: with its authors' block, or with the one its paper prints.

What the released code computes (kang205/SASRec), and block ``sasrec`` with it: item vectors
times sqrt(width) plus the position's, positions counted from the end (sequences are padded on
the left, so that the last event always has the last one), `QueryNormLayer`, a last norm.
Padding is no key there, so that leaving it out changes nothing. Block ``sasrec-prenorm`` has the
printed residuals ``x + drop(f(norm(x)))``, no scale, and positions counted from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models.encoder import Encoder, Order, init_weights
from recmerge_bench.toolkit.models.tables import build_tables

Block = Literal["sasrec", "sasrec-prenorm"]
ORDERS: dict[str, Order] = {"sasrec": "query-norm", "sasrec-prenorm": "pre-norm"}


def causal_encoder(block: str, width: int, layers: int, heads: int, share: float) -> Encoder:
    """The encoder of a block by name; initial values yet to be drawn."""
    return Encoder(
        width, layers, heads, inner=width, share=share, order=ORDERS[block], activation="relu"
    )


def item_scale(block: str, width: int) -> float:
    """What item vectors are multiplied with on their way into the encoder."""
    return width**0.5 if block == "sasrec" else 1.0


def start_positions(
    block: str, shape: tuple[int, int], std: float, generator: torch.Generator
) -> nn.Parameter:
    """Position vectors, normal: as wide as item vectors are once they are scaled.

    (The authors' Glorot draws come near that: on 12,000 items and at width 64, standard
    deviations of .10 for scaled items and .13 for positions.)
    """
    drawn = torch.randn(shape, generator=generator)
    return nn.Parameter(drawn * (std * item_scale(block, shape[1])))


def from_the_end(positions: Tensor, lengths: Tensor, size: int) -> Tensor:
    """Position vectors counted from each sequence's last event, which has row 0.

    Args:
        positions: float [max_len, width].
        lengths: int64 [B], at most max_len.
        size: columns of the right-padded grid.

    Returns:
        float [B, size, width]; padding has those of row 0.
    """
    index = lengths[:, None] - 1 - torch.arange(size, device=lengths.device)
    return F.embedding(index.clamp_min(0), positions)


def placed(x: Tensor, positions: Tensor, lengths: Tensor, block: Block) -> Tensor:
    """What `x` (float [B, L, width], right-padded) is with the block's position vectors added."""
    if block == "sasrec":
        return x + from_the_end(positions, lengths, x.shape[1])
    return x + positions[: x.shape[1]]


class CausalNet(nn.Module):
    """Item tables, learned positions and a causal encoder.

    State dict: ``tables.<domain>``, ``positions`` [max_len, width] (row 0 is the last event's
    with block ``sasrec``, else the first event's), ``encoder.*``.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        block: see the module.
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: see `Encoder`.
        max_len: longest sequence.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial item vectors; of positions, see `start_positions`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        *,
        block: Block,
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
        self.positions = start_positions(block, (max_len, width), std, generator)
        self.encoder = causal_encoder(block, width, layers, heads, dropout)
        init_weights(self.encoder, width**-0.5, generator)
        self.block: Block = block
        self.scale = item_scale(block, width)

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
        x = self.tables.lookup(items, scope)
        x = placed(x if self.scale == 1.0 else x * self.scale, self.positions, lengths, self.block)
        even = last_only and bool((lengths == items.shape[1]).all())
        out: Tensor = self.encoder(x, None if even else lengths, True, last_only)
        return out
