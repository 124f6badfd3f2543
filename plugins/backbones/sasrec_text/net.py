"""A causal net over projected item vectors of a frozen text encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from recmerge_bench_plugins.backbones.sasrec_text.whitening import zca
from torch import Tensor, nn

from recmerge_bench.api import Catalogue, HandledError
from recmerge_bench.toolkit.models.causal import Block, causal_encoder, placed, start_positions
from recmerge_bench.toolkit.models.encoder import init_weights


class TextNet(nn.Module):
    """Projection, learned positions and a causal encoder; no parameter per item.

    State dict: ``projection.{weight,bias}``, ``projection_norm.*``, ``positions`` [max_len,
    width] (row 0 as in `CausalNet`), ``encoder.*``. The item vectors are a buffer outside it.
    Projected vectors are normed, so that block ``sasrec`` needs no scale here.

    Args:
        catalogue: the items, with ``vectors``.
        domains: domains to serve; they change no initial value.
        seed: of all random initial values.
        block: see `recmerge_bench.toolkit.models.causal`.
        width: of projected items and layers.
        layers: number of blocks.
        heads: attention heads.
        dropout: see `Encoder`.
        max_len: longest sequence.
        std: standard deviation of initial positions, see `start_positions`.
        whiten: whether the catalogue's vectors are whitened (see `zca`), over all its items.

    Raises:
        HandledError: the catalogue has no vectors.
    """

    features: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        domains: Sequence[str],
        seed: int,
        *,
        block: Block,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
        max_len: int,
        std: float,
        whiten: bool = False,
    ) -> None:
        super().__init__()
        if catalogue.vectors is None:
            raise HandledError("a model of item text was given items without text vectors")
        self.domains = tuple(domains)
        self._spans = {name: catalogue.span(name) for name in catalogue.domains}
        vectors = zca(catalogue.vectors) if whiten else catalogue.vectors.copy()
        features = torch.from_numpy(vectors)
        self.register_buffer("features", features, persistent=False)
        generator = torch.Generator().manual_seed(seed)
        self.block: Block = block
        self.positions = start_positions(block, (max_len, width), std, generator)
        self.projection = nn.Linear(features.shape[1], width)
        self.projection_norm = nn.LayerNorm(width)
        self.encoder = causal_encoder(block, width, layers, heads, dropout)
        init_weights(self.encoder, width**-0.5, generator)
        # The vectors have length one: this keeps the projected entries near one.
        init_weights(self.projection, 1.0, generator)

    def forward(
        self,
        items: Tensor,
        lengths: Tensor,
        last_only: bool = False,
        projected: Tensor | None = None,
    ) -> Tensor:
        """States after each event: [B, L, width], or [B, width] after the last ones.

        Args:
            items: int64 [B, L], global items, right-padded.
            lengths: int64 [B].
            last_only: see `Encoder.forward`.
            projected: what `project` gives for `items`, where it is at hand.
        """
        x = self.project(items) if projected is None else projected
        x = placed(x, self.positions, lengths, self.block)
        even = last_only and bool((lengths == items.shape[1]).all())
        out: Tensor = self.encoder(x, None if even else lengths, True, last_only)
        return out

    def project(self, items: Tensor) -> Tensor:
        """Vectors of global items: the shape of `items` plus [width]."""
        found: Tensor = self.projection_norm(self.projection(self.features[items]))
        return found

    def scope_table(self, scope: Sequence[str]) -> Tensor:
        """Projected items of the scope's domains, one under the other."""
        parts = [self.features[self._spans[name]] for name in scope]
        whole = parts[0] if len(parts) == 1 else torch.cat(parts)
        found: Tensor = self.projection_norm(self.projection(whole))
        return found

    def scope_rows(self, items: Tensor, scope: Sequence[str]) -> Tensor:
        """Row of each global item in `scope_table`; items outside it (padding) give row 0."""
        rows = torch.zeros_like(items)
        above = 0
        for name in scope:
            span = self._spans[name]
            inside = (items >= span.start) & (items < span.stop)
            rows = torch.where(inside, items - span.start + above, rows)
            above += span.stop - span.start
        return rows

    def draw(self, scope: Sequence[str], count: int, generator: torch.Generator) -> Tensor:
        """Items of the scope, uniformly with replacement: int64 [count]."""
        sizes = [self._spans[name].stop - self._spans[name].start for name in scope]
        rows = torch.randint(sum(sizes), (count,), generator=generator).to(self.features.device)
        ends = torch.tensor(sizes, device=rows.device).cumsum(0)
        part = torch.bucketize(rows, ends, right=True)
        starts = torch.tensor([self._spans[n].start for n in scope], device=rows.device)
        shift = starts - torch.cat([ends.new_zeros(1), ends[:-1]])
        return rows + shift[part]
