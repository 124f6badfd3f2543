"""DREAM's net: decoupled encoders of the mixed sequence and of each domain, joined by attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.causal import from_the_end
from recmerge_bench.toolkit.models.cdsr_blocks import (
    FamilyAttention,
    FamilyNet,
    build_encoder,
    family_positions,
    family_tables,
    init_family,
    init_for,
    inside,
    more_draws,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.ragged import compact


@dataclass(frozen=True)
class Extracted:
    """What the net knows after each event.

    Attributes:
        mixed: float [B, T, width], from the mixed sequence with what was extracted.
        own: domain -> float [B, T, width], the domain's own state; zero before its first event.
    """

    mixed: Tensor
    own: dict[str, Tensor]


class ExtractionNet(FamilyNet):
    """Mixed sequence M and domains X, each with item vectors and an encoder of its own.

    ``X~ = attention(H_M; keys and values H_X, those known at the query)``,
    ``g = sigmoid(W_X [H_M; X~])``, ``H = H_M + sum_X g * X~``.

    State dict: that of `FamilyNet` for M; ``own_tables.<domain>``, ``own_positions``,
    ``encoders.<n>.*``, ``extract.<n>.*``, ``gates.<n>.*`` for the n-th domain in the catalogue's
    order, whatever order the domains are named in.

    Args: as those of `FamilyNet`.
    """

    def __init__(
        self, catalogue: Catalogue, domains: Sequence[str], seed: int, options: FamilyOptions
    ) -> None:
        super().__init__(catalogue, domains, seed, options)
        o, self.domains, generator = options, tuple(domains), more_draws(seed)
        self.dropout = o.dropout
        self.own_tables = family_tables(catalogue, domains, o, seed, stream=1)
        self.own_positions = family_positions(o, o.max_len, generator)
        self.encoders = nn.ModuleList(build_encoder(o) for _ in domains)
        self.extract = nn.ModuleList(FamilyAttention(o.width, o.heads) for _ in domains)
        self.gates = nn.ModuleList(nn.Linear(2 * o.width, o.width) for _ in domains)
        init_for(self.encoders, o, generator)
        init_family(self.extract, generator)
        init_family(self.gates, generator)
        # Drawn in the order in which domains are named, kept in the catalogue's: weights are
        # loaded by name, and the same domains may be named in another order then.
        self.place = {domain: n for n, domain in enumerate(self.tables.domains)}
        order = sorted(range(len(domains)), key=lambda n: self.place[domains[n]])
        self.encoders, self.extract, self.gates = (
            nn.ModuleList(each[n] for n in order)
            for each in (self.encoders, self.extract, self.gates)
        )

    def forward(  # type: ignore[override]
        self, items: Tensor, lengths: Tensor, last_only: bool = False
    ) -> Extracted:
        """After each event, or after the last ones alone (T = 1).

        Args:
            items: int64 [B, L], mixed events, right-padded.
            lengths: int64 [B].
            last_only: see above.
        """
        mixed = super().forward(items, lengths, self.tables.domains, last_only)
        if last_only:
            mixed = mixed[:, None]
            bounds = lengths[:, None]
        else:
            bounds = torch.arange(1, items.shape[1] + 1, device=items.device).expand(items.shape)
        own, total = {}, mixed
        for domain in self.domains:
            number = self.place[domain]
            states, seen = self._domain(domain, items, lengths, bounds)
            message = self.extract[number](mixed, states, seen)
            message = F.dropout(message, self.dropout, self.training)
            gate = self.gates[number](torch.cat([mixed, message], -1)).sigmoid()
            total = total + gate * message
            own[domain] = _latest(states, seen)
        return Extracted(total, own)

    def _domain(
        self, domain: str, items: Tensor, lengths: Tensor, bounds: Tensor
    ) -> tuple[Tensor, Tensor]:
        """States of the domain's own events [B, S, width]; which each query sees [B, T, S]."""
        keep = self.of_domain(items, domain) & inside(lengths, items.shape[1])
        events = compact(items, keep)
        x = self.scaled(self.own_tables.lookup(events.items, (domain,)))
        x = x + self._own_places(events.lengths, events.items.shape[1])
        states = self.encoders[self.place[domain]](x, events.lengths.clamp_min(1), True)
        return states, events.seen_from(bounds)

    def _own_places(self, lengths: Tensor, size: int) -> Tensor:
        if self.order == "forward":
            return self.own_positions[:size]
        return from_the_end(self.own_positions, lengths, size)

    def table(self, domain: str) -> Tensor:
        """Item vectors of both kinds, side by side: [items of the domain, 2 * width]."""
        return torch.cat(
            [self.tables.domain_table(domain), self.own_tables.domain_table(domain)], 1
        )

    @staticmethod
    def user(extracted: Extracted, domain: str) -> Tensor:
        """What `table` is multiplied with: [B, T, 2 * width]."""
        return torch.cat([extracted.mixed, extracted.own[domain]], -1)


def _latest(states: Tensor, seen: Tensor) -> Tensor:
    """The last state that each query sees: [B, T, width]; zero where it sees none."""
    count = seen.sum(-1)
    index = (count - 1).clamp_min(0)[..., None].expand(-1, -1, states.shape[-1])
    return states.gather(1, index).masked_fill(count[..., None] == 0, 0.0)
