"""Small parts of cards."""

from __future__ import annotations

from collections.abc import Mapping

from recmerge_bench.identity import NamedRow, Row
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.results.card_values import Loss


def row_name(row: NamedRow, names: Mapping[Row, tuple[str, str]]) -> tuple[str, str]:
    """Backbone and method as the board has them."""
    backbone, method = names.get(row.row, (row.backbone or "–", row.method))
    return plain(backbone), plain(method)


def percent(value: float | None, sign: bool = False) -> str:
    """A share with one decimal."""
    if value is None:
        return "–"
    shown = round(100 * value, 1) + 0.0  # no -0.0
    return f"{shown:+.1f} %" if sign else f"{shown:.1f} %"


def interval(lower: float | None, upper: float | None) -> str:
    """An interval of shares."""
    if lower is None or upper is None:
        return "–"
    low, high = (round(100 * end, 1) + 0.0 for end in (lower, upper))
    return f"[{low:.1f}, {high:.1f}]"


def lost(loss: Loss) -> str:
    """A loss with its interval in one cell."""
    ends = interval(loss.lower, loss.upper)
    return percent(loss.loss) + (f" {ends}" if ends != "–" else "")
