"""A mixture of whitening maps of frozen text vectors, and a causal post-norm transformer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.api import Catalogue
from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.encoder import Encoder, init_weights
from recmerge_bench.toolkit.models.frozen_items import FrozenItems
from recmerge_bench.toolkit.models.tables import ItemTables, build_tables
from recmerge_bench.toolkit.models.whitening import zca

EPS = 1e-12
#: The least standard deviation of the gate's noise.
_NOISE = 1e-2


class Adaptor(nn.Module):
    """``sum_e g_e(t) W_e (drop(t) - b_e)``; the gate's logits are noisy while training.

    State dict: ``weight`` [experts, width, columns], ``bias`` [experts, columns], and with more
    than one map ``gate`` and ``noise`` [columns, experts].

    Args:
        columns: of the text vectors.
        width: of the result.
        experts: number of maps.
        share: dropout on the text vectors.
    """

    def __init__(self, columns: int, width: int, experts: int, share: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(experts, width, columns))
        self.bias = nn.Parameter(torch.zeros(experts, columns))
        if experts > 1:
            self.gate = nn.Parameter(torch.zeros(columns, experts))
            self.noise = nn.Parameter(torch.zeros(columns, experts))
        self.dropout = share

    def forward(self, text: Tensor) -> Tensor:
        """[N, columns] to [N, width]."""
        experts, width, _ = self.weight.shape
        # All maps are one product; what a map takes off is the same for every item.
        moved = dropout(text, self.dropout, self.training) @ self.weight.flatten(0, 1).T
        parts = moved.view(-1, experts, width) - (self.weight @ self.bias[..., None]).squeeze(2)
        if experts == 1:
            return parts.squeeze(1)
        return (self._gates(text)[:, None] @ parts).squeeze(1)

    def _gates(self, text: Tensor) -> Tensor:
        logits = text @ self.gate
        if self.training:
            spread = F.softplus(text @ self.noise) + _NOISE
            logits = logits + torch.randn_like(logits) * spread
        return logits.softmax(-1)


class UniSRecNet(nn.Module):
    """State dict: ``adaptor.*``, ``positions`` [max_len, width] (row 0 is the first event's),
    ``norm.*``, ``encoder.*``, and with ids ``tables.<domain>``.

    Args:
        catalogue: the items, with ``vectors``.
        domains: domains to serve; they change no shared initial value.
        seed: of all random initial values.
        ids: whether items have vectors of their own.
        experts: see `Adaptor`.
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        inner: inner width of the feed-forward.
        dropout: on embeddings, attention weights and every sub-layer's output.
        adaptor_dropout: see `Adaptor`.
        max_len: longest sequence.
        std: standard deviation of initial maps and positions.
        id_std: standard deviation of the items' own initial vectors.
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
        ids: bool,
        experts: int,
        width: int,
        layers: int,
        heads: int,
        inner: int,
        dropout: float,
        adaptor_dropout: float,
        max_len: int,
        std: float,
        id_std: float,
        whiten: bool = False,
    ) -> None:
        super().__init__()
        self.frozen = FrozenItems(catalogue, zca if whiten else np.copy)
        if ids:
            self.tables: ItemTables | None = build_tables(
                catalogue, domains, width, "random", id_std, seed
            )
        else:
            self.tables = None
        columns = self.frozen.features.shape[1]
        self.adaptor = Adaptor(columns, width, experts, adaptor_dropout)
        self.positions = nn.Parameter(torch.empty(max_len, width))
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.encoder = Encoder(
            width, layers, heads, inner, dropout, "post-norm", eps=EPS, attention_share=dropout
        )
        generator = torch.Generator().manual_seed(seed)
        nn.init.normal_(self.adaptor.weight, std=std, generator=generator)
        nn.init.normal_(self.positions, std=std, generator=generator)
        init_weights(self.encoder, std, generator)

    def forward(
        self,
        items: Tensor,
        lengths: Tensor,
        last_only: bool = False,
        vectors: Tensor | None = None,
    ) -> Tensor:
        """States after each event: [B, L, width], or [B, width] after the last ones.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
            last_only: see `Stack.forward`.
            vectors: what `vectors` gives for `items`, where it is at hand.
        """
        if vectors is None:
            unique, place = torch.unique(items, return_inverse=True)
            vectors = F.embedding(place, self.vectors(unique))
        x = self.norm(vectors + self.positions[: items.shape[1]])
        out: Tensor = self.encoder(x, lengths, True, last_only)
        return out

    def vectors(self, items: Tensor) -> Tensor:
        """Vectors of global items: [N] to [N, width]."""
        vectors: Tensor = self.adaptor(self.frozen.of(items))
        return vectors if self.tables is None else vectors + self.tables.lookup(items)

    def scope_vectors(self, scope: Sequence[str]) -> Tensor:
        """Vectors of the scope's items, one domain under the other."""
        vectors: Tensor = self.adaptor(self.frozen.scope_table(scope))
        return vectors if self.tables is None else vectors + self.tables.scope_table(scope)
