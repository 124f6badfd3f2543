"""The net of CD-SASRec: the mean of source states joins each target item's vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.cdsr_blocks import (
    FamilyNet,
    build_encoder,
    init_for,
    more_draws,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.ragged import View, masked_mean


class MeanSourceNet(FamilyNet):
    """CD-SASRec: the mean of source states joins each target item's vector.

    State dict: that of `FamilyNet`, ``source_encoder.*``, ``join.weight``.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values.
        options: see `FamilyOptions`.
        target: the target domain.
        fuse: ``add`` (``e + W s``) or ``concat`` (``W [e; s]``).
        causal: the mean runs over the source events that are known; else over all of them.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        options: FamilyOptions,
        target: str,
        fuse: Literal["add", "concat"],
        causal: bool,
    ) -> None:
        super().__init__(catalogue, domains, seed, options)
        self.target, self.fuse, self.causal = target, fuse, causal
        self.source_encoder = build_encoder(options)
        width = options.width
        self.join = nn.Linear(width if fuse == "add" else 2 * width, width, bias=False)
        generator = more_draws(seed)
        init_for(self.source_encoder, options, generator)
        init_for(self.join, options, generator)

    def forward(self, view: View) -> Tensor:  # type: ignore[override]
        """States after each own event: [B, T, width]."""
        own = self.embed(view.own.items, view.own.lengths, (self.target,))
        lengths = view.source.lengths.clamp_min(1)
        sources = self.embed(view.source.items, view.source.lengths, self.tables.domains)
        sources = self.source_encoder(sources, lengths, True)
        seen = view.source.seen_from(view.bounds) if self.causal else view.source.valid[:, None]
        message = masked_mean(sources, seen).expand_as(own)
        added = self.fuse == "add"
        x = own + self.join(message) if added else self.join(torch.cat([own, message], -1))
        out: Tensor = self.encoder(x, view.own.lengths.clamp_min(1), True)
        return out
