"""Uniform draws from the items that a sequence does not hold, exactly, without rejection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

#: A table of shifts is made where it has at most so many cells for each draw (and fits 1 GiB).
_CELLS_A_DRAW = 16
_CELLS = 1 << 29


@dataclass(frozen=True)
class Unseen:
    """What each of some sequences has left of a table's rows.

    The free row of rank r is r plus the number of seen rows before it: those whose own rank among
    the free ones, `keys`, is at most r.

    Attributes:
        keys: int64 [B, S], ascending; entries that do not count are above any rank.
        free: int64 [B], how many rows are left, at least 1.
        n_items: rows of the table.
    """

    keys: Tensor
    free: Tensor
    n_items: int

    @classmethod
    def of(cls, seen: Tensor, valid: Tensor, n_items: int) -> Unseen:
        """From seen rows.

        Args:
            seen: int64 [B, S], rows of a table; repeats are allowed.
            valid: bool [B, S], entries of `seen` that count.
            n_items: rows of the table.
        """
        big = 2 * n_items + seen.shape[1]
        ordered = torch.where(valid, seen, big).sort(dim=1).values
        repeated = F.pad(ordered[:, 1:] == ordered[:, :-1], (1, 0))
        ordered = ordered.masked_fill(repeated, big).sort(dim=1).values
        distinct = (ordered < big).sum(1)
        keys = ordered - torch.arange(ordered.shape[1], device=seen.device)
        return cls(keys, (n_items - distinct).clamp_min(1), n_items)

    def draw(self, count: int, generator: torch.Generator, owners: Tensor | None = None) -> Tensor:
        """Draws with replacement, each free row being as likely.

        Args:
            count: draws for each sequence, or for each of `owners`.
            generator: on the device of the keys.
            owners: int64 [N], sequences that draw, if not each of them once.

        Returns:
            int64 [B, count] or [N, count]. A sequence that has seen every row gets seen ones.
        """
        free = self.free if owners is None else self.free[owners]
        uniform = torch.rand(
            (len(free), count), generator=generator, device=free.device, dtype=torch.float64
        )
        ranks = (uniform * free[:, None]).long()
        return (ranks + self._shifts(ranks, owners)).clamp_max(self.n_items - 1)

    def _shifts(self, ranks: Tensor, owners: Tensor | None) -> Tensor:
        """How many keys are at most each rank: int64, the shape of `ranks`."""
        cells = len(self.keys) * self.n_items
        if ranks.device.type == "cpu" and cells <= min(_CELLS, _CELLS_A_DRAW * ranks.numel()):
            rows = torch.arange(len(self.keys)) if owners is None else owners
            at = (rows * (self.n_items + 1))[:, None] + ranks
            return self._table.flatten().index_select(0, at.flatten()).view(at.shape).long()
        keys = self.keys if owners is None else self.keys[owners]
        return torch.searchsorted(keys.contiguous(), ranks, right=True)

    @cached_property
    def _table(self) -> Tensor:
        """The number of keys that are at most 0, 1, ...: int16 [B, n_items + 1].

        One look-up is much cheaper than the search among a sequence's keys.
        """
        counts = torch.zeros(len(self.keys), self.n_items + 1, dtype=torch.int16)
        ones = torch.ones_like(self.keys, dtype=torch.int16)
        counts.scatter_add_(1, self.keys.clamp_max(self.n_items), ones)
        return counts.cumsum(1, dtype=torch.int16)
