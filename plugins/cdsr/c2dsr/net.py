"""The net of C2DSR: items smoothed over graphs, an encoder for each sequence, own output heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from recmerge_bench_plugins.cdsr.c2dsr.encoder import QueryNormEncoder, uniform_linear
from recmerge_bench_plugins.cdsr.c2dsr.item_graph import gather_neighbours
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.alignment import kept_columns
from recmerge_bench.toolkit.models.domain_losses import domain_numbers
from recmerge_bench.toolkit.models.tables import ItemTables, build_tables
from recmerge_bench.toolkit.seeds import beside_the_net


@dataclass(frozen=True)
class OwnStream:
    """Events of one domain of each mixed sequence, right-padded.

    Attributes:
        index: int64 [B, K], columns of the mixed sequences' grid.
        counts: int64 [B], events of the domain.
        states: float [B, K, width].
    """

    index: Tensor
    counts: Tensor
    states: Tensor


class GraphStreamsNet(nn.Module):
    """State dict: ``tables.<domain>`` and ``own_tables.<domain>`` [items, width] (of mixed and
    of the domain's own sequences), ``heads.<domain>`` [items, width] and
    ``head_biases.<domain>`` [items, 1], ``pad_head.*`` (of the class "none of the domain"),
    ``graph_biases`` [1 + domains, width], ``encoders.<n>`` (n is 0 for the mixed sequence, then
    1 + the domain's number), ``critics`` [domains, width, width] and ``critic_biases``
    [domains], ``prepared.mixed_*`` and ``prepared.own_*`` (`ItemGraph` in rows of the domains'
    joined table; laid in by the core).

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values.
        width: width of item vectors and layers.
        layers: blocks of each encoder.
        heads: number of attention heads.
        dropout: see `QueryNormEncoder`; on the item vectors that the graph spreads, too.
        max_len: longest sequence; shorter ones count as padded on the left up to it.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial item and position vectors.
    """

    owners: Tensor
    prepared: Any

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
        self.dropout, self.max_len = dropout, max_len
        self.tables = build_tables(catalogue, domains, width, init, std, seed)
        own = beside_the_net(seed)  # other draws than the first tables'
        self.own_tables = build_tables(catalogue, domains, width, init, std, own)
        names = self.tables.domains
        self.register_buffer("owners", domain_numbers(catalogue, names), persistent=False)
        generator = torch.Generator().manual_seed(seed)
        bound = width**-0.5

        def uniform(*shape: int, bound: float = bound) -> Tensor:
            return torch.empty(shape).uniform_(-bound, bound, generator=generator)

        self.heads = ItemTables({n: uniform(catalogue.size(n), width) for n in names}, catalogue)
        self.head_biases = ItemTables({n: uniform(catalogue.size(n), 1) for n in names}, catalogue)
        self.pad_head = nn.Linear(width, 1)
        uniform_linear(self.pad_head, generator)
        self.graph_biases = nn.Parameter(uniform(1 + len(names), width))
        self.encoders = nn.ModuleList(
            QueryNormEncoder(width, layers, heads, dropout, max_len) for _ in range(1 + len(names))
        )
        for encoder in self.encoders:
            assert isinstance(encoder, QueryNormEncoder)
            encoder.reset(std, generator)
        # Xavier's bound for a bilinear form [1, width, width] as torch counts its fans.
        shape, form = (len(names), width, width), (6 / (width * width + width)) ** 0.5
        self.critics = nn.Parameter(uniform(*shape, bound=form))
        self.critic_biases = nn.Parameter(torch.zeros(len(names)))

    def forward(self, items: Tensor, lengths: Tensor) -> Tensor:
        """States of mixed sequences: [B, L, width].

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
        """
        vectors = self._vectors(items, self.tables, "mixed", self.graph_biases[:1].expand(
            len(self.tables.domains), -1
        ))  # fmt: skip
        unused = (self.max_len - lengths)[:, None].expand_as(items)
        out: Tensor = self.encoders[0](vectors, unused)
        return out

    def own(self, items: Tensor, lengths: Tensor, mask: Tensor, number: int) -> OwnStream:
        """States of one domain's events within mixed sequences.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B], of the mixed sequences.
            mask: bool [B, L], the events to encode, of one domain.
            number: the domain's.
        """
        index, counts = kept_columns(mask)
        chosen = items.gather(1, index)
        vectors = self._vectors(chosen, self.own_tables, "own", self.graph_biases[1:])
        before = torch.arange(index.shape[1], device=index.device)
        # An event of the domain at column c sees c - before events of others, and the padding.
        masked = (self.max_len - lengths)[:, None] + (index - before).clamp_min(0)
        return OwnStream(index, counts, self.encoders[1 + number](vectors, masked))

    def next_state(self, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """What the domain's head is multiplied with after the whole history: [B, width].

        The last mixed state plus the state of the domain's last event, where there is one.
        """
        number = self.tables.domains.index(domain)
        rows = torch.arange(len(histories), device=histories.device)
        state = self(histories, lengths)[rows, lengths - 1]
        valid = torch.arange(histories.shape[1], device=histories.device) < lengths[:, None]
        own = self.own(histories, lengths, valid & (self.owners[histories] == number), number)
        last = own.states[rows, (own.counts - 1).clamp_min(0)]
        out: Tensor = state + last * (own.counts > 0)[:, None]
        return out

    def discriminate(self, number: int, own: Tensor, other: Tensor) -> Tensor:
        """Bilinear scores [B] of a domain's own and the other domains' pooled states."""
        scores = torch.einsum("bi,ij,bj->b", other, self.critics[number], own)
        return scores + self.critic_biases[number]

    def _vectors(self, items: Tensor, tables: ItemTables, graph: str, biases: Tensor) -> Tensor:
        """``(mean of raw and spread vectors + raw) * sqrt(width)`` of global items.

        Args:
            items: int64 [B, L].
            tables: of the raw vectors.
            graph: name of its arrays.
            biases: float [domains, width], added to the spread vectors of a domain's items.
        """
        unique, inverse = torch.unique(items, return_inverse=True)
        rows = tables.scope_rows(unique, tables.domains)
        table = tables.scope_table(tables.domains)
        starts, columns, values = (
            getattr(self.prepared, f"{graph}_{part}") for part in ("starts", "columns", "values")
        )
        dropped = F.dropout(table, self.dropout, self.training)
        spread = gather_neighbours(dropped, rows, starts, columns, values)
        spread = spread + biases[self.owners[unique].clamp_min(0)]
        raw = F.embedding(rows, table)
        return F.embedding(inverse, (1.5 * raw + 0.5 * spread) * table.shape[1] ** 0.5)
