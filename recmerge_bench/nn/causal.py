"""The net of SASRec and its relatives."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.nn.encoder import Encoder, init_weights
from recmerge_bench.nn.tables import build_tables


class CausalNet(nn.Module):
    """Item tables, learned positions and a causal pre-norm encoder.

    State dict: ``tables.<domain>``, ``positions`` [max_len, width], ``encoder.*``.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        width: of items and layers.
        layers: number of blocks.
        heads: attention heads.
        dropout: see `Encoder`.
        max_len: longest sequence.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial weights.
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
        self.positions = nn.Parameter(torch.randn(max_len, width, generator=generator) * std)
        self.encoder = Encoder(
            width, layers, heads, inner=width, dropout=dropout, activation="relu"
        )
        init_weights(self.encoder, width**-0.5, generator)

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
        x = self.tables.lookup(items, scope) + self.positions[: items.shape[1]]
        even = last_only and bool((lengths == items.shape[1]).all())
        out: Tensor = self.encoder(x, None if even else lengths, True, last_only)
        return out
