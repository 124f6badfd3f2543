"""Selecting entries of task vectors by magnitude, and electing signs among them."""

from __future__ import annotations

from torch import Tensor


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
        return vector.zero_()
    magnitude = vector.abs()
    threshold = magnitude.kthvalue(vector.numel() - count + 1).values
    return vector.masked_fill_(magnitude < threshold, 0.0)


def elected_signs(rows: Tensor, zero: str = "plus") -> Tensor:
    """The sign with the greater total mass in each column: float [P] of +1 and -1.

    Args:
        rows: float [K, P].
        zero: where a column's sum is zero: ``plus``, or ``majority`` (the sign of most columns;
            plus where these balance too).
    """
    signs = rows.sum(0).sign_()
    fill = 1.0
    if zero == "majority":
        fill = -1.0 if float(signs.sum()) < 0 else 1.0
    return signs.masked_fill_(signs == 0, fill)


def agreeing_means(rows: Tensor, signs: Tensor) -> Tensor:
    """Entries that agree with the elected sign, divided by how many do, in place.

    The sum over the rows is then the mean of the agreeing non-zero entries of each column.

    Args:
        rows: float [K, P], changed.
        signs: float [P] of +1 and -1.
    """
    agree = rows * signs > 0
    rows.masked_fill_(~agree, 0.0)
    return rows.div_(agree.sum(0).clamp_(min=1))
