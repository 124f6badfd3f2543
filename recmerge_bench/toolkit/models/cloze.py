"""The net of BERT4Rec: item tables, a mask vector and a bidirectional post-norm encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.toolkit.models.encoder import Encoder, init_weights
from recmerge_bench.toolkit.models.products import Linear
from recmerge_bench.toolkit.models.tables import ItemTables, build_tables


class ClozeNet(nn.Module):
    """State dict: ``tables.<domain>``, ``biases.<domain>`` [items, 1], ``positions``
    [max_len + 1, width], ``mask`` [width], ``encoder.*``, ``head.*``, ``head_norm.*``.

    Args: as those of `CausalNet`.
    """

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
        self.tables = build_tables(catalogue, domains, width, init, std, seed)
        zeros = {name: torch.zeros(catalogue.size(name), 1) for name in domains}
        self.biases = ItemTables(zeros, catalogue)
        generator = torch.Generator().manual_seed(seed)
        shape = (max_len + 1, width)
        self.positions = nn.Parameter(torch.randn(shape, generator=generator) * std)
        self.mask = nn.Parameter(torch.randn(width, generator=generator) * std)
        self.input_norm = nn.LayerNorm(width)
        self.encoder = Encoder(
            width,
            layers,
            heads,
            inner=4 * width,
            share=dropout,
            order="post-norm",
            activation="gelu",
            eps=1e-5,
        )
        self.head = Linear(width, width)
        self.head_norm = nn.LayerNorm(width)
        init_weights(self.encoder, width**-0.5, generator)
        init_weights(self.head, width**-0.5, generator)

    def forward(
        self,
        items: Tensor,
        lengths: Tensor | None,
        scope: Sequence[str],
        masked: Tensor,
        last_only: bool = False,
    ) -> Tensor:
        """States [B, L, width], or [B, width] of the last positions.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B], or None where all fill L.
            scope: domains that the items are of.
            masked: bool [B, L], positions whose item is hidden.
            last_only: see `Encoder.forward`.
        """
        x = torch.where(masked[..., None], self.mask, self.tables.lookup(items, scope))
        x = self.input_norm(x + self.positions[: items.shape[1]])
        out: Tensor = self.encoder(x, lengths, causal=False, last_only=last_only)
        return out

    def next_state(self, histories: Tensor, lengths: Tensor, scope: Sequence[str]) -> Tensor:
        """State of a mask appended after each history: [B, width]."""
        items = F.pad(histories, (0, 1))
        items[:, -1] = histories[:, 0]  # hidden below; any item of the scope does
        masked = torch.arange(items.shape[1], device=items.device) == lengths[:, None]
        even = bool((lengths == histories.shape[1]).all())
        out: Tensor = self(items, None if even else lengths + 1, scope, masked, last_only=True)
        return out

    def project(self, hidden: Tensor) -> Tensor:
        """What the item table is multiplied with (paper, eq. 7): [N, width] to [N, width]."""
        out: Tensor = self.head_norm(F.gelu(self.head(hidden)))
        return out

    @staticmethod
    def draw_mask(
        lengths: Tensor, size: int, ratio: float, last_share: float, generator: torch.Generator
    ) -> Tensor:
        """Events to hide, at least one in each sequence: bool [B, size].

        Args:
            lengths: int64 [B], events.
            size: columns.
            ratio: chance of each event.
            last_share: chance that a sequence hides its last event alone.
            generator: on the device of `lengths`.
        """
        device = lengths.device
        columns = torch.arange(size, device=device)
        last = columns == lengths[:, None] - 1
        draws = torch.rand((len(lengths), size), generator=generator, device=device)
        draws = draws.masked_fill(columns >= lengths[:, None], 2.0)
        masked = draws < ratio
        # A sequence that drew none hides the event that came nearest.
        masked |= columns == draws.argmin(1, keepdim=True)
        alone = torch.rand((len(lengths), 1), generator=generator, device=device) < last_share
        return torch.where(alone, last, masked)
