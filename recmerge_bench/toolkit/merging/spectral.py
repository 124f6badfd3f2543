"""Singular vectors of task vectors, matrix by matrix, in double precision."""

from __future__ import annotations

import torch
from torch import Tensor


def svd(matrix: Tensor, keep: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """The leading singular triplets: U [a, r], values [r], V [b, r], fp64.

    Args:
        matrix: [a, b].
        keep: r; all by default.
    """
    left, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    return left[:, :keep], values[:keep], right[:keep].T


def polar(matrix: Tensor) -> Tensor:
    """The nearest matrix with orthonormal columns (or rows): the polar factor."""
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    factor: Tensor = left @ right
    return factor
