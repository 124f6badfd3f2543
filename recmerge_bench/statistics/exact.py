"""Mean and standard deviation of floats, correctly rounded: `statistics`' own values, sooner.

A float is a whole number over a power of two, so that sums of floats and of their squares are
sums of whole numbers; one division, or one square root, rounds at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import frexp, isqrt

#: Of a float's significand.
_BITS = 53
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


def _wholes(values: Iterable[float]) -> tuple[Sequence[int], int]:
    """Whole numbers, and by which power of two all of them are divided."""
    given = list(values)
    kinds = set(map(type, given))
    if kinds == {int}:
        return given, 1  # type: ignore[return-value]
    if kinds == {float} and (shift := _shift(given)):
        # Multiplied by the power of two all are whole, and nothing is rounded.
        return list(map(int, map((2.0**shift).__mul__, given))), 1 << shift
    ratios = [value.as_integer_ratio() for value in given]
    unit = max((below for _, below in ratios), default=0)
    return [above * (unit // below) for above, below in ratios], unit


def _shift(values: Sequence[float]) -> int:
    """Bits behind the point of the smallest of some floats of like size, or 0; else 0."""
    least, most = min(values), max(values)
    if least <= 0.0:
        sizes = list(filter(None, map(abs, values)))
        least, most = min(sizes, default=1.0), max(sizes, default=1.0)
    return _BITS - frexp(least)[1] if least > 1e-9 and most < 1e9 else 0


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
