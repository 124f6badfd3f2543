"""The exponent of a power law, fitted to what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def exponent(points: Sequence[dict[str, Any]], series: str, figure: str) -> float | None:
    """Slope of log(figure) over log(size) by least squares, of one series; None below two points.

    1: in proportion to the size; 0: whatever the size.
    """
    some = [p for p in points if p["series"] == series and p[figure] > 0]
    if len(some) < 2:
        return None
    size, value = (np.log([float(p[name]) for p in some]) for name in ("size", figure))
    return round(float(np.polyfit(size, value, 1)[0]), 3)
