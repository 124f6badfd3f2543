"""Negatives drawn log-uniformly by rank of popularity, and the correction of their scores.

The draw of TensorFlow's ``log_uniform_candidate_sampler``, with replacement: of n items, the one of
rank r (0 for the most popular) has the chance ``log((r + 2) / (r + 1)) / log(n + 1)``, near Zipf's
law. The correction is that of a sampled softmax for draws that are not uniform (Bengio & Senecal,
2008; Jean et al., ACL 2015, section 3): a score loses the logarithm of how often its item is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Ranked:
    """The items of a table in the order of their popularity.

    Attributes:
        rows: int64 [n], row of the table at each rank.
        ranks: int64 [n], rank of each row.
    """

    rows: Tensor
    ranks: Tensor

    @classmethod
    def by(cls, counts: Tensor) -> Ranked:
        """By counts of the rows [n], the largest first; equal ones in the table's order."""
        rows = counts.argsort(descending=True, stable=True)
        ranks = torch.empty_like(rows)
        ranks[rows] = torch.arange(len(rows), device=rows.device)
        return cls(rows, ranks)

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Rows of the table, with replacement: int64 of that shape."""
        n = len(self.rows)
        uniform = torch.rand(
            shape, generator=generator, device=self.rows.device, dtype=torch.float64
        )
        ranks = (uniform * math.log(n + 1)).exp().long() - 1
        return self.rows[ranks.clamp(0, n - 1)]

    def log_chance(self, rows: Tensor) -> Tensor:
        """Logarithm of each row's chance in one draw: float64, the shape of `rows`."""
        ranks = self.ranks[rows].double()
        return torch.log(torch.log1p(1 / (ranks + 1)) / math.log(len(self.rows) + 1))


def corrections(
    ranked: Ranked, targets: Tensor, drawn: Tensor, scaled: bool
) -> tuple[Tensor, Tensor]:
    """What is added to the logits of targets and of their negatives.

    Args:
        ranked: what was drawn from.
        targets: int64 [N], rows.
        drawn: int64 [N, K], rows; those that are the target are left out of the softmax.
        scaled: whether the negatives' sum estimates that over all other items, the target going
            without a correction; else both lose the logarithm of their chance.

    Returns:
        float64 [N] and [N, K].
    """
    own, others = ranked.log_chance(targets), ranked.log_chance(drawn)
    if not scaled:
        return -own, -others
    known = (drawn != targets[:, None]).sum(1, keepdim=True).clamp_min(1).double()
    # A draw that is not the target is of item j with chance p_j / (1 - p_target).
    return torch.zeros_like(own), torch.log1p(-own.exp())[:, None] - known.log() - others
