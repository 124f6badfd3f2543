"""Masked-item models of the MERIT family: what BERT4Rec-st and BERT4Rec-dt share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models.cdsr_blocks import FamilyNet, inside, more_draws
from recmerge_bench.toolkit.models.cdsr_options import ClozeOptions
from recmerge_bench.toolkit.models.cloze import ClozeNet
from recmerge_bench.toolkit.models.domain_losses import (
    by_position,
    negatives_by_domain,
    next_item_loss,
    per_user_weights,
)
from recmerge_bench.toolkit.models.tables import truncated_normal


class FamilyCloze(FamilyNet):
    """`FamilyNet` with a vector ``mask`` [width], without the causal mask.

    Used as `ClozeNet` is; there is neither a projection nor a bias.
    """

    def __init__(
        self, catalogue: Catalogue, domains: Sequence[str], seed: int, options: ClozeOptions
    ) -> None:
        super().__init__(catalogue, domains, seed, options, extra=1)
        self.mask = nn.Parameter(truncated_normal((options.width,), options.std, more_draws(seed)))

    def forward(  # type: ignore[override]
        self, items: Tensor, lengths: Tensor, scope: Sequence[str], masked: Tensor
    ) -> Tensor:
        """States [B, L, width]; `masked` is bool [B, L], positions whose item is hidden."""
        x = torch.where(masked[..., None], self.mask, self.tables.lookup(items, scope))
        out: Tensor = self.encoder(x + self.places(lengths, items.shape[1]), lengths, False)
        return out

    def next_state(self, histories: Tensor, lengths: Tensor, scope: Sequence[str]) -> Tensor:
        """State of a mask appended after each history (which may be empty): [B, width]."""
        items = F.pad(histories, (0, 1))
        masked = torch.arange(items.shape[1], device=items.device) == lengths[:, None]
        # Any item of the scope does below the mask and in padding.
        states = self(items, lengths + 1, scope, masked)
        last: Tensor = states[torch.arange(len(items), device=items.device), lengths]
        return last

    def project(self, hidden: Tensor) -> Tensor:
        """The states themselves."""
        return hidden


def build_cloze(
    catalogue: Catalogue, domains: Sequence[str], seed: int, options: ClozeOptions
) -> FamilyCloze | ClozeNet:
    """The net that ``options.block`` names."""
    o = options
    if o.block == "swiglu":
        return FamilyCloze(catalogue, domains, seed, o)
    return ClozeNet(
        catalogue,
        domains,
        seed,
        width=o.width,
        layers=o.layers,
        heads=o.heads,
        dropout=o.dropout,
        max_len=o.max_len,
        init=o.init,
        std=o.std,
    )


def biases(net: FamilyCloze | ClozeNet, scope: Sequence[str]) -> Tensor | None:
    """Item biases of the scope [I], where the net has any."""
    if isinstance(net, FamilyCloze):
        return None
    return net.biases.scope_table(scope).squeeze(1)


def cloze_loss(
    net: FamilyCloze | ClozeNet,
    options: ClozeOptions,
    events: Tensor,
    lengths: Tensor,
    scope: Sequence[str],
    generator: torch.Generator,
) -> tuple[Tensor, int]:
    """Masked events told from the rest, weighed by user and domain.

    Args:
        net: see `build_cloze`.
        options: of the net and the loss.
        events: int64 [B, L], global items of the scope, right-padded.
        lengths: int64 [B]; empty sequences are passed over.
        scope: domains; each item's negatives are of all of them.
        generator: draws masks and negatives.

    Returns:
        The mean over users with an event of the sum over domains of the mean over the masked
        events of that domain, and the number of masked events.
    """
    o, size = options, events.shape[1]
    real = inside(lengths, size)
    masked = ClozeNet.draw_mask(lengths, size, o.mask_ratio, o.last_share, generator) & real
    keep = masked.flatten().nonzero().squeeze(1)
    rows = net.tables.scope_rows(events, scope)
    spans = [net.tables.scope_span(scope, name) for name in scope]
    weights = _weights(rows, masked, spans, lengths)
    negatives = None
    if o.loss != "full":
        drawn = negatives_by_domain(rows, real, spans, size * o.negatives, generator)
        negatives = by_position(drawn, size).flatten(0, 1)[keep]
    states = net(events, lengths.clamp_min(1), scope, masked).flatten(0, 1)[keep]
    value = next_item_loss(
        o,
        net.project(states),
        net.tables.scope_table(scope),
        rows.flatten()[keep],
        negatives,
        weights.flatten()[keep],
        biases(net, scope),
    )
    return value, len(keep)


def _weights(rows: Tensor, masked: Tensor, spans: Sequence[slice], lengths: Tensor) -> Tensor:
    """As `per_user_weights`, over the users that have an event: float32 [B, L]."""
    users = (lengths > 0).sum().clamp_min(1)
    return per_user_weights(rows, masked, spans) * (len(rows) / users)
