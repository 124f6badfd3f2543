"""Selecting entries of task vectors by magnitude, and electing signs among them (TIES)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def zero_below(vector: Tensor, limit: float) -> Tensor:
    """Zero all entries of a magnitude below `limit`, in place: float [P]."""
    if limit > 0:  # hardshrink zeroes up to and with its bound: the next smaller number
        limits = torch.tensor([limit, 0.0], dtype=vector.dtype)
        torch.hardshrink(vector, float(limits[0].nextafter(limits[1])), out=vector)
    return vector


def keep_largest(vector: Tensor, count: int) -> Tensor:
    """Zero all but the `count` entries of largest magnitude, in place.

    Entries tied with the smallest kept one are kept too, so that the result depends on values
    alone.

    Args:
        vector: float [P].
        count: from 0 to P.
    """
    if count >= vector.numel():
        return vector
    if count <= 0:
        return zero_below(vector, math.inf)
    magnitude = vector.abs()
    return zero_below(vector, float(magnitude.kthvalue(vector.numel() - count + 1).values))


def elected_signs(rows: Tensor, zero: str | float = "plus") -> Tensor:
    """The sign with the greater total mass in each column: float [P] of +1 and -1.

    Args:
        rows: float [K, P].
        zero: where a column's sum is zero: ``plus``, ``majority`` (the sign of most columns;
            plus where these balance too) or a sign, where the columns are not all here.
    """
    signs = rows.sum(0).sign_()
    if isinstance(zero, str):
        zero = -1.0 if zero == "majority" and float(signs.sum()) < 0 else 1.0
    return signs.masked_fill_(signs == 0, zero)


def agreeing_means(rows: Tensor, signs: Tensor) -> Tensor:
    """Entries that agree with the elected sign, divided by how many do, in place.

    The sum over the rows is then the mean of the agreeing non-zero entries of each column.

    Args:
        rows: float [K, P], changed.
        signs: float [P] of +1 and -1.
    """
    rows.mul_(signs).clamp_(min=0)  # magnitudes of what agrees
    return rows.div_(rows.sign().sum(0).clamp_(min=1).mul_(signs))


def disjoint_means(rows: Tensor, zero: str | float = "plus") -> Tensor:
    """`agreeing_means` with the rows' own elected signs: TIES once it has trimmed (algorithm 1)."""
    return agreeing_means(rows, elected_signs(rows, zero))
