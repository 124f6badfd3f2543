"""A card's table as text, for the Markdown page and for the site, and small parts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recmerge_bench.identity import NamedRow, Row
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.results.card_values import Loss


@dataclass(frozen=True)
class CardTable:
    """A table with what it says; all of it plain text.

    Attributes:
        title: one line.
        headers: of the columns.
        rows: a text for each column.
        note: what the columns are.
        answer: a sentence that the rows come to; may be empty.
    """

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str
    answer: str = ""

    def markdown(self, level: int = 3) -> list[str]:
        """Paragraphs of Markdown, the title as a heading of this level."""
        return [
            f"{'#' * level} {plain(self.title)}",
            *([f"**{plain(self.answer)}**"] if self.answer else []),
            table(list(map(plain, self.headers)), [list(map(plain, row)) for row in self.rows]),
            plain(self.note),
        ]


def row_name(row: NamedRow, names: Mapping[Row, tuple[str, str]]) -> tuple[str, str]:
    """Backbone and method as the board has them."""
    return names.get(row.row, (row.backbone or "–", row.method))


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
