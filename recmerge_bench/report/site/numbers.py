"""Numbers as the site holds them."""

from __future__ import annotations

from typing import overload

#: Significant digits: a table shows four decimals, a plot three digits.
DIGITS = 6


@overload
def short(value: float) -> float: ...


@overload
def short(value: float | None) -> float | None: ...


def short(value: float | None) -> float | None:
    """A number to six significant digits; a whole one stays whole."""
    if value is None or isinstance(value, int):
        return value
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded
