"""Mean and standard deviation of floats, correctly rounded: `statistics`' own values, sooner.

A float is a whole number over a power of two, so that sums of floats and of their squares are
sums of whole numbers; one division, or one square root, rounds at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isqrt

#: Bits that the root of a fraction is computed to: more than twice those of a float.
_ROOT_BITS = 109


def mean(values: Iterable[float]) -> float:
    """`statistics.mean` of finite floats or whole numbers, as a float.

    Raises:
        ZeroDivisionError: there are none.
    """
    wholes, unit = _wholes(values)
    return sum(wholes) / (unit * len(wholes))


def stdev(values: Iterable[float]) -> float:
    """`statistics.stdev`: the sample standard deviation of two or more finite floats.

    Raises:
        ZeroDivisionError: there are fewer.
    """
    wholes, unit = _wholes(values)
    count, total = len(wholes), sum(wholes)
    squares = count * sum(whole * whole for whole in wholes) - total * total
    return _root(squares, count * (count - 1) * unit * unit)


def _wholes(values: Iterable[float]) -> tuple[list[int], int]:
    """Whole numbers, and by which power of two all of them are divided."""
    ratios = [value.as_integer_ratio() for value in values]
    unit = max((below for _, below in ratios), default=0)
    return [above * (unit // below) for above, below in ratios], unit


def _root(above: int, below: int) -> float:
    """Square root of a fraction, correctly rounded.

    The integer root has so many bits that a last one, set where it is not exact, settles which
    way a float rounds (round to odd).
    """
    if above == 0 and below:
        return 0.0
    shift = (above.bit_length() - below.bit_length() - _ROOT_BITS) // 2
    if shift >= 0:
        return float(_odd_root(above, below << 2 * shift) << shift)
    return _odd_root(above << -2 * shift, below) / (1 << -shift)


def _odd_root(above: int, below: int) -> int:
    root = isqrt(above // below)
    return root | (root * root * below != above)


__all__ = ["mean", "stdev"]
