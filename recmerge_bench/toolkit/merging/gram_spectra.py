"""Singular vectors through the smaller Gram matrix in fp64, where that is precise enough.

A matrix [a, b] with a >= b has the right singular vectors of the eigenvectors of its Gram matrix
[b, b], and the left ones for a product. That squares the ratio of its singular values, so that the
weakest directions are wrong by about ``2**-52 (s_1 / s_r)**2``. Where this is more than the
entries' own precision allows, the matrix is decomposed itself (`spectral.svd`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.toolkit.merging.spectral import svd

#: Rows that are made double at a time.
ROWS = 4096
#: Directions may be wrong by so much, by what the entries are given in.
ALLOWED = {torch.float64: 1e-11}
ELSE = 2.0**-24
#: Ratio of singular values up to which products in the entries' own precision lose nothing by it.
EVEN = 8.0


@dataclass(frozen=True)
class Orthogonal:
    """A polar factor ``matrix @ right``, not multiplied out.

    Attributes:
        matrix: [a, b], a >= b.
        right: fp64 [b, b], symmetric.
        values: singular values of what it is the polar factor of, rising, fp64 [b].
        ratio: of the largest to the smallest of them; 1 where `matrix` is the factor itself.
    """

    matrix: Tensor
    right: Tensor
    values: Tensor
    ratio: float


def orthogonal(matrix: Tensor, entries: torch.dtype) -> Orthogonal:
    """The nearest matrix with orthonormal columns.

    Args:
        matrix: float [a, b], a >= b.
        entries: the precision of what it was made of.
    """
    squares, vectors = _eigen(gram(matrix))
    if not _precise(squares, entries):
        left, values, right = svd(matrix)
        eye = torch.eye(matrix.shape[1], dtype=torch.float64, device=matrix.device)
        return Orthogonal(left @ right.T, eye, values.flip(0), 1.0)
    values = squares.sqrt()
    scaled = vectors * values.rsqrt()
    return Orthogonal(matrix, scaled @ scaled.T, values, float(values[-1] / values[0]))


def leading(matrix: Tensor, keep: int, entries: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """The leading singular triplets: U [a, r], values [r], V [b, r], fp64.

    Args:
        matrix: float [a, b].
        keep: r, from 1 to the smaller side.
        entries: the precision of what it was made of.
    """
    if matrix.shape[0] < matrix.shape[1]:
        right, values, left = leading(matrix.T, keep, entries)
        return left, values, right
    squares, vectors = _eigen(gram(matrix), keep)
    if not _precise(squares, entries):
        return svd(matrix, keep)
    values, right = squares.flip(0).sqrt(), vectors.flip(1)
    left = times(matrix, right / values, torch.empty((len(matrix), keep), dtype=torch.float64,
                                                     device=matrix.device))  # fmt: skip
    return left, values, right


def gram(matrix: Tensor) -> Tensor:
    """``matrix.T @ matrix`` in fp64 [b, b], of which eigenvectors read the upper triangle."""
    if matrix.device.type != "cpu":
        double = matrix.double()
        return double.T @ double
    from scipy.linalg.blas import dsyrk

    total = None
    for rows in matrix.split(ROWS):
        block = rows.double().T.numpy()
        total = (
            dsyrk(1.0, block)
            if total is None
            else dsyrk(1.0, block, beta=1.0, c=total, overwrite_c=1)
        )
    return torch.from_numpy(total)


def times(matrix: Tensor, right: Tensor, out: Tensor) -> Tensor:
    """``matrix @ right`` in the precision of `right`, some rows at a time.

    Args:
        matrix: float [a, b].
        right: float [b, c].
        out: float [a, c], of any precision; written.
    """
    for rows, place in zip(matrix.split(ROWS), out.split(ROWS), strict=True):
        place.copy_(rows.to(right.dtype) @ right)
    return out


def _eigen(square: Tensor, keep: int | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues, rising, and eigenvectors of the upper triangle; of the largest alone."""
    if square.device.type != "cpu" or not bool(square.diagonal().isfinite().all()):
        values, vectors = torch.linalg.eigh(square, UPLO="U")
        return (values, vectors) if keep is None else (values[-keep:], vectors[:, -keep:])
    from scipy.linalg import eigh

    size = len(square)
    some: dict[str, Any] = {"driver": "evd"}
    if keep is not None and 4 * keep < size:
        some = {"subset_by_index": (size - keep, size - 1)}
    values, vectors = eigh(square.numpy(), lower=False, check_finite=False, **some)
    found = torch.from_numpy(values), torch.from_numpy(vectors)
    return found if keep is None else (found[0][-keep:], found[1][:, -keep:])


def _precise(squares: Tensor, entries: torch.dtype) -> bool:
    """Whether the squared singular values, rising, are far enough from rounding."""
    least = float(squares[-1]) * 2.0**-52 / ALLOWED.get(entries, ELSE)
    return float(squares[0]) > least
