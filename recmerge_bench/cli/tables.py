"""Tables that fit a terminal: the widest columns give way, and wrap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import fill, wrap

#: Columns of a terminal.
WIDTH = 80
#: Between two columns of a table.
SPACE = "  "
#: A column next to that of the names keeps this width as long as it can.
NARROW = 9


def fitted(headers: Sequence[str], rows: Sequence[Sequence[object]], width: int = WIDTH) -> str:
    """Columns under their names, `width` wide at most, without those in which nothing stands.

    Args:
        headers: a name for each column.
        rows: a value for each column; None and "" are nothing.
        width: of the table, in characters.
    """
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    kept = [n for n, _ in enumerate(headers) if any(row[n] for row in texts)]
    table = [[headers[n] for n in kept], *([row[n] for n in kept] for row in texts)]
    widths = _widths([list(column) for column in zip(*table, strict=True)], width)
    rule = SPACE.join("-" * w for w in widths)
    head, *body = (_line(row, widths) for row in table)
    return "\n".join([head, rule, *body])


def _widths(columns: list[list[str]], width: int) -> list[int]:
    """Widths of columns that sum up to `width` at most: the widest give way, names come last."""
    widths = [max(map(len, column)) for column in columns]
    room = width - len(SPACE) * (len(columns) - 1)
    while sum(widths) > room and max(widths) > 1:
        others = widths[1:] if max(widths[1:], default=0) > NARROW else widths
        at = widths.index(max(others), 1 if others is not widths else 0)
        widths[at] -= 1
    return widths


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [wrap(text, w) for text, w in zip(row, widths, strict=True)]
    lines = zip_longest(*cells, fillvalue="")
    return "\n".join(
        SPACE.join(part.ljust(w) for part, w in zip(parts, widths, strict=True)).rstrip()
        for parts in lines
    )


def facts(*pairs: tuple[str, str], width: int = WIDTH) -> Iterator[str]:
    """``name:  value`` lines, those with nothing left out; long values wrap under themselves.

    Words stay whole, so that keys and paths can be copied.
    """
    for name, value in pairs:
        if value:
            head = f"{name}:".ljust(11)
            yield fill(
                f"{head}{value}", width, subsequent_indent=" " * len(head),
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
