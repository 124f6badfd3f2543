"""Item tables, biases and layers of gated recurrent units."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.tables import ItemTables, build_tables


class GRUNet(nn.Module):
    """State dict: ``tables.<domain>``, ``biases.<domain>`` [items, 1], ``layers.<n>.*`` (`nn.GRU`,
    whose gates are reset, update and new).

    Args:
        catalogue: the items.
        domains: domains to hold tables for.
        seed: of all random initial values; those outside the tables do not depend on `domains`.
        width: width of item vectors and layers.
        layers: number of layers, at least 1.
        dropout: on the items' vectors.
        hidden_dropout: on what each layer gives.
        init: of the tables, see `build_tables`.
        std: standard deviation of initial item vectors.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        *,
        width: int,
        layers: int,
        dropout: float,
        hidden_dropout: float,
        init: str,
        std: float,
    ) -> None:
        super().__init__()
        self.tables = build_tables(catalogue, domains, width, init, std, seed)
        self.biases = ItemTables(
            {name: torch.zeros(catalogue.size(name), 1) for name in domains}, catalogue
        )
        self.layers = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(layers))
        self.dropout, self.hidden_dropout = dropout, hidden_dropout
        self._draw(torch.Generator().manual_seed(seed))

    def forward(
        self, items: Tensor, lengths: Tensor, scope: Sequence[str], last_only: bool = False
    ) -> Tensor:
        """States after each event: [B, L, width], or [B, width] after the last ones.

        Args:
            items: int64 [B, L], global items, right-padded: no state knows what follows it.
            lengths: int64 [B].
            scope: domains that the items are of.
            last_only: the last states alone.
        """
        x = dropout(self.tables.lookup(items, scope), self.dropout, self.training)
        for layer in self.layers:
            x = dropout(layer(x)[0], self.hidden_dropout, self.training)
        return x[torch.arange(len(x), device=x.device), lengths - 1] if last_only else x

    def _draw(self, generator: torch.Generator) -> None:
        """Each gate's matrix uniform within sqrt(6 / (rows + columns)), biases zero."""
        for name, value in self.layers.named_parameters():
            with torch.no_grad():
                if "bias" in name:
                    value.zero_()
                else:
                    bound = (6 / (value.shape[0] / 3 + value.shape[1])) ** 0.5
                    value.uniform_(-bound, bound, generator=generator)
