"""A causal net over projected item vectors of a frozen text encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.causal import Block, causal_encoder, placed, start_positions
from recmerge_bench.toolkit.models.encoder import init_weights
from recmerge_bench.toolkit.models.frozen_items import FrozenItems
from recmerge_bench.toolkit.models.whitening import zca


class TextNet(nn.Module):
    """Projection, learned positions and a causal encoder; no parameter per item.

    State dict: ``projection.{weight,bias}``, ``projection_norm.*``, ``positions`` [max_len,
    width] (row 0 as in `CausalNet`), ``encoder.*``. The item vectors are a buffer outside it.
    Projected vectors are normed, so that block ``sasrec`` needs no scale here.

    Args:
        catalogue: the items, with ``vectors``.
        domains: domains to serve; they change no initial value.
        seed: of all random initial values.
        block: see `recmerge_bench.toolkit.models.causal`.
        width: width of projected item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: see `Encoder`.
        max_len: longest sequence.
        std: standard deviation of initial positions, see `start_positions`.
        whiten: whether the catalogue's vectors are whitened (see `zca`), over all its items.

    Raises:
        HandledError: the catalogue has no vectors.
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
        std: float,
        whiten: bool = False,
    ) -> None:
        super().__init__()
        self.domains = tuple(domains)
        self.frozen = FrozenItems(catalogue, zca if whiten else np.copy)
        generator = torch.Generator().manual_seed(seed)
        self.block: Block = block
        self.positions = start_positions(block, (max_len, width), std, generator)
        self.projection = nn.Linear(self.frozen.features.shape[1], width)
        self.projection_norm = nn.LayerNorm(width)
        self.encoder = causal_encoder(block, width, layers, heads, dropout)
        init_weights(self.encoder, width**-0.5, generator)
        # The vectors have length one: this keeps the projected entries near one.
        init_weights(self.projection, 1.0, generator)

    def forward(
        self,
        items: Tensor,
        lengths: Tensor,
        last_only: bool = False,
        projected: Tensor | None = None,
    ) -> Tensor:
        """States after each event: [B, L, width], or [B, width] after the last ones.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
            last_only: see `Encoder.forward`.
            projected: what `project` gives for `items`, where it is at hand.
        """
        x = self.project(items) if projected is None else projected
        x = placed(x, self.positions, lengths, self.block)
        even = last_only and bool((lengths == items.shape[1]).all())
        out: Tensor = self.encoder(x, None if even else lengths, True, last_only)
        return out

    def project(self, items: Tensor) -> Tensor:
        """Vectors of global items: the shape of `items` plus [width]."""
        vectors: Tensor = self.projection_norm(self.projection(self.frozen.of(items)))
        return vectors

    def scope_table(self, scope: Sequence[str]) -> Tensor:
        """Projected items of the scope's domains, one under the other."""
        vectors: Tensor = self.projection_norm(self.projection(self.frozen.scope_table(scope)))
        return vectors
