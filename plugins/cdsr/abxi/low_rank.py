"""A low-rank linear map (LoRA; Hu et al., ICLR 2022) that is zero until it is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LowRank(nn.Module):
    """``h -> h (A B)^T``.

    State dict: ``up`` [width, rank] (A, normal, standard deviation 1/50) and ``down``
    [rank, width] (B, zeros).

    Args:
        width: of the vectors.
        rank: of the map.
    """

    def __init__(self, width: int, rank: int) -> None:
        super().__init__()
        self.up = nn.Parameter(torch.zeros(width, rank))
        self.down = nn.Parameter(torch.zeros(rank, width))

    def forward(self, hidden: Tensor) -> Tensor:
        """[..., width] to [..., width]."""
        return F.linear(F.linear(hidden, self.down), self.up)

    def reset(self, generator: torch.Generator) -> None:
        """Draw A, zero B."""
        with torch.no_grad():
            self.up.normal_(0.0, 1 / 50, generator=generator)
            self.down.zero_()
