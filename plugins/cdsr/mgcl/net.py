"""MGCL's net: dynamic item vectors of the user's own graph, static ones of all users' graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue, HandledError
from recmerge_bench.toolkit.models.cdsr_blocks import (
    FamilyAttention,
    FamilyEncoder,
    FamilyNet,
    init_family,
    inside,
    more_draws,
)
from recmerge_bench.toolkit.models.cdsr_options import FamilyOptions
from recmerge_bench.toolkit.models.ragged import Compact, View
from recmerge_bench.toolkit.models.tables import ItemTables


class GatedStep(nn.Module):
    """One step of a gated graph network on a path (Wu et al., SR-GNN, AAAI 2019, eq. 1 to 5).

    A node takes in what comes from the event before and from the event after, through weights
    for each direction, and a gated recurrent unit joins it with the node's own vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.before = nn.Linear(width, width)
        self.after = nn.Linear(width, width)
        self.message = nn.Linear(2 * width, 3 * width)
        self.state = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Nodes and their neighbours, zero where there is none: [..., width] each."""
        taken = self.message(torch.cat([self.before(before), self.after(after)], -1)).chunk(3, -1)
        kept = self.state(x).chunk(3, -1)
        update, reset = (taken[0] + kept[0]).sigmoid(), (taken[1] + kept[1]).sigmoid()
        fresh = torch.tanh(taken[2] + reset * kept[2])
        return (1 - update) * x + update * fresh


class ItemGraph(nn.Module):
    """Vectors smoothed over the graph: mean of layers 0 to n (LightGCN, SIGIR 2020, eq. 3, 4).

    Args:
        layers: n.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self._made: Tensor | None = None

    def forward(self, table: Tensor, tables: ItemTables, graph: Any) -> Tensor:
        """Smoothed vectors.

        Args:
            table: float [items, width], of all domains of `tables`, one under the other.
            tables: whose rows these are.
            graph: holds what `normalised_adjacency` gives, by global item number, as buffers.
        """
        if self._made is None or self._made.device != table.device:
            # Kept for training too, which refuses what was made in inference mode.
            with torch.inference_mode(False), torch.no_grad():
                self._made = self._matrix(len(table), tables, graph)
        matrix = self._made
        with torch.autocast(table.device.type, enabled=False):
            layer = total = table.float()
            for _ in range(self.layers):
                layer = torch.sparse.mm(matrix, layer)
                total = total + layer
        return total / (self.layers + 1)

    @staticmethod
    def _matrix(size: int, tables: ItemTables, graph: Any) -> Tensor:
        """Edges between items that the tables hold: sparse [size, size]."""
        ends = torch.stack([graph.graph_rows, graph.graph_columns])
        known = (tables.rows[ends] >= 0).all(0)
        edges = tables.scope_rows(ends[:, known], tables.domains)
        weights = graph.graph_weights[known]
        return torch.sparse_coo_tensor(
            edges, weights, (size, size), check_invariants=True
        ).coalesce()


@dataclass(frozen=True)
class Nodes:
    """Events of the mixed sequences as nodes of their users' graphs.

    Attributes:
        inner: float [B, L, width], dynamic vectors with both neighbours.
        end: float [B, L, width], dynamic vectors of the last event of a history: the one after
            is not known yet.
        static: float [B, L, width].
    """

    inner: Tensor
    end: Tensor
    static: Tensor


class GraphViewsNet(FamilyNet):
    """Target-domain encoder and attention to the source domains, both on graph vectors.

    The graph of a history has an edge both ways between events that follow each other. Training
    asks about every prefix at once, and a prefix's graph differs from the whole one's in its
    last event alone, which lacks the edge to what comes after. So each event has two vectors,
    and a query sees the one without that edge of the last event it knows: what training
    computes is exactly the graph of each prefix (a second block's keys are the states that
    each event had as the last one).

    State dict: that of `FamilyNet`, ``gated.*``, ``cross.*``, ``fuse_norm.*``, ``fuse.*``,
    ``out_norm.*``, ``source_view.*``, and the graph as ``prepared.*``, laid in after building.

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values.
        options: see `FamilyOptions`; ``block`` is ``swiglu``.
        target: the target domain.
        graph_layers: number of layers over the graph of all users.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        options: FamilyOptions,
        target: str,
        graph_layers: int,
    ) -> None:
        super().__init__(catalogue, domains, seed, options)
        o, self.target = options, target
        self.dropout = o.dropout
        self.graph = ItemGraph(graph_layers)
        self.gated = GatedStep(o.width)
        self.cross = FamilyAttention(o.width, o.heads)
        self.fuse_norm = nn.LayerNorm(2 * o.width)
        self.fuse = nn.Linear(2 * o.width, o.width)
        self.out_norm = nn.LayerNorm(o.width)
        self.source_view = nn.Linear(o.width, o.width)
        generator = more_draws(seed)
        for part in (self.gated, self.cross, self.fuse, self.source_view):
            init_family(part, generator)

    def forward(self, view: View) -> tuple[Tensor, Tensor, Nodes]:  # type: ignore[override]
        """States after each own event [B, T, width], the same before fusion, and the nodes."""
        nodes, own = self.nodes(view.events, view.lengths), view.own
        places = self.places(own.lengths, own.items.shape[1])
        memory, mask = self._known(nodes, own, view.bounds, places)
        ends = gather(nodes.end, own.places) + gather(nodes.static, own.places) + places
        inner = memory[:, : own.items.shape[1]]
        last = own.places + 1 == view.bounds
        x = self._drop(torch.where(last[..., None], ends, inner))
        assert isinstance(self.encoder, FamilyEncoder)
        first, *others = self.encoder.layers
        x = first(x, self._drop(memory), mask)
        for block in others:
            x = block(x, None, None, True)
        memory, mask = self._known(nodes, view.source, view.bounds, None)
        message = self.cross(x, self._drop(memory), mask)
        fused = self.fuse(self.fuse_norm(torch.cat([x, message], -1)))
        return self.out_norm(fused), x, nodes

    def nodes(self, events: Tensor, lengths: Tensor) -> Nodes:
        """Vectors of mixed events int64 [B, L], right-padded."""
        scope = self.tables.domains
        table, rows = self.tables.scope_table(scope), self.tables.scope_rows(events, scope)
        x = F.embedding(rows, table) * inside(lengths, events.shape[1])[..., None]
        before, after = F.pad(x, (0, 0, 1, 0))[:, :-1], F.pad(x, (0, 0, 0, 1))[:, 1:]
        graph = getattr(self, "prepared", None)
        if graph is None:
            raise HandledError("mgcl: the graph of the training sequences was not laid in")
        static = F.embedding(rows, self.graph(table, self.tables, graph))
        inner, end = self.gated(x, before, after), self.gated(x, before, torch.zeros_like(x))
        return Nodes(inner, end, static)

    def _known(
        self, nodes: Nodes, events: Compact, bounds: Tensor, places: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Keys of chosen events in both forms [B, 2 S, width]; what queries see [B, T, 2 S]."""
        static = gather(nodes.static, events.places)
        if places is not None:
            static = static + places
        both = torch.cat(
            [gather(part, events.places) + static for part in (nodes.inner, nodes.end)], 1
        )
        distance = bounds[..., None] - events.places[:, None] - 1
        inner, end = (mask & events.valid[:, None] for mask in (distance > 0, distance == 0))
        return both, torch.cat([inner, end], -1)

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


def gather(x: Tensor, places: Tensor) -> Tensor:
    """Rows of [B, L, width] at int64 [B, S]."""
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[-1]))
