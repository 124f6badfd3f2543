"""What the other domains' events tell at each event of the target domain, from the past alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models.cdsr_blocks import (
    FamilyNet,
    build_encoder,
    init_family,
    init_for,
    more_draws,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.ragged import View


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Mean of the states that each query sees; zero where it sees none.

    Args:
        states: float [B, S, width].
        mask: bool [B, T, S].

    Returns:
        float [B, T, width].
    """
    share = mask.to(states.dtype)
    return share @ states / share.sum(-1, keepdim=True).clamp_min(1.0)


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
        told = masked_mean(sources, seen).expand_as(own)
        added = self.fuse == "add"
        x = own + self.join(told) if added else self.join(torch.cat([own, told], -1))
        out: Tensor = self.encoder(x, view.own.lengths.clamp_min(1), True)
        return out


class GeneralAttentionNet(FamilyNet):
    """CD-ASR: each target state asks the source items by multiplicative attention.

    ``a_tj = h_t W e_j``, ``c_t = sum_j softmax(a_t)_j e_j``; then ``LN(W_o [h_t; c_t])``, or with
    a gate ``LN(h_t + sigmoid(W_g [h_t; c_t]) * c_t)``. State dict: that of `FamilyNet`,
    ``ask.weight``, ``join.*``, ``join_norm.*``.

    Args: as those of `MeanSourceNet`; `fuse` is ``linear`` or ``gate``.
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
        told = share.to(sources.dtype) @ sources
        both = self.join(torch.cat([hidden, told], -1))
        fused = both if self.fuse == "linear" else hidden + both.sigmoid() * told
        out: Tensor = self.join_norm(fused)
        return out
