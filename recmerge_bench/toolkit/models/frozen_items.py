"""Frozen vectors of items (of their texts) behind global item numbers: no parameter per item."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.errors import HandledError


class FrozenItems(nn.Module):
    """The catalogue's ``vectors``, for nets that learn a map of them. It has no state dict.

    Attributes:
        features: float [I, columns], buffer outside the state dict.

    Args:
        catalogue: the items.
        prepare: what is done to the vectors of the whole catalogue first.

    Raises:
        HandledError: the catalogue has no vectors.
    """

    features: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        prepare: Callable[[NDArray[np.float32]], NDArray[Any]] = np.copy,
    ) -> None:
        super().__init__()
        if catalogue.vectors is None:
            raise HandledError("a model of item text was given items without text vectors")
        self._spans = {name: catalogue.span(name) for name in catalogue.domains}
        features = torch.from_numpy(prepare(catalogue.vectors))
        self.register_buffer("features", features, persistent=False)

    def of(self, items: Tensor) -> Tensor:
        """Vectors of global items: the shape of `items` plus [columns]."""
        return self.features[items]

    def scope_table(self, scope: Sequence[str]) -> Tensor:
        """Vectors of the scope's domains, one under the other."""
        parts = [self.features[self._spans[name]] for name in scope]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

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
        """Global items of the scope, uniformly with replacement: int64 [count]."""
        sizes = [self._spans[name].stop - self._spans[name].start for name in scope]
        rows = torch.randint(sum(sizes), (count,), generator=generator).to(self.features.device)
        ends = torch.tensor(sizes, device=rows.device).cumsum(0)
        part = torch.bucketize(rows, ends, right=True)
        starts = torch.tensor([self._spans[n].start for n in scope], device=rows.device)
        shift = starts - torch.cat([ends.new_zeros(1), ends[:-1]])
        return rows + shift[part]
