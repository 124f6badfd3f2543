"""The net of CD-ASR: each target state asks the source items by multiplicative attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.cdsr_blocks import (
    FamilyNet,
    init_family,
    more_draws,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.ragged import View


class GeneralAttentionNet(FamilyNet):
    """CD-ASR: each target state asks the source items by multiplicative attention.

    ``a_tj = h_t W e_j``, ``c_t = sum_j softmax(a_t)_j e_j``; then ``LN(W_o [h_t; c_t])``, or with
    a gate ``LN(h_t + sigmoid(W_g [h_t; c_t]) * c_t)``. State dict: that of `FamilyNet`,
    ``ask.weight``, ``join.*``, ``join_norm.*``.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values.
        options: see `FamilyOptions`.
        target: the target domain.
        fuse: ``linear`` or ``gate``, see above.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        options: FamilyOptions,
        target: str,
        fuse: Literal["linear", "gate"],
    ) -> None:
        super().__init__(catalogue, domains, seed, options)
        self.target, self.fuse, self.dropout = target, fuse, options.dropout
        self.ask = nn.Linear(options.width, options.width, bias=False)
        self.join = nn.Linear(2 * options.width, options.width)
        self.join_norm = nn.LayerNorm(options.width)
        generator = more_draws(seed)
        for part in (self.ask, self.join):
            init_family(part, generator)

    def forward(self, view: View) -> Tensor:  # type: ignore[override]
        """States after each own event: [B, T, width]."""
        own = self.embed(view.own.items, view.own.lengths, (self.target,))
        hidden = self.encoder(own, view.own.lengths.clamp_min(1), True)
        sources = self.tables.lookup(view.source.items, self.tables.domains)
        sources = F.dropout(sources, self.dropout, self.training)
        seen = view.source.seen_from(view.bounds)
        scores = (self.ask(hidden) @ sources.transpose(1, 2)).float()
        scores = scores.masked_fill(~seen, torch.finfo(scores.dtype).min)
        # A query that sees no source would spread over the masked ones: it gets zero.
        share = scores.softmax(-1) * seen
        message = share.to(sources.dtype) @ sources
        both = self.join(torch.cat([hidden, message], -1))
        fused = both if self.fuse == "linear" else hidden + both.sigmoid() * message
        out: Tensor = self.join_norm(fused)
        return out
