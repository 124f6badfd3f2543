"""Tables of plain values: as text, as HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence

Value = str | int | float | bool | None
#: Lines that a representation shows; `to_pandas` has all.
SHOWN = 40


def text_table(headers: Sequence[str], rows: Sequence[Sequence[Value]]) -> str:
    """Columns under their names; numbers with four decimals, an en dash where there is none."""
    from tabulate import tabulate

    return tabulate(rows, headers, floatfmt=".4f", missingval="–")


def html_table(
    title: str, headers: Sequence[str], rows: Sequence[Sequence[Value]], notes: Sequence[str] = ()
) -> str:
    """The same for a notebook, every text escaped; `SHOWN` rows at the most."""
    head = "".join(f"<th>{html.escape(h)}</th>" for h in headers)
    body = "".join(
        "<tr>" + "".join(f"<td>{_escaped(cell)}</td>" for cell in row) + "</tr>"
        for row in rows[:SHOWN]
    )
    more = [f"and {len(rows) - SHOWN} more; to_pandas() has all"] if len(rows) > SHOWN else []
    lines = "".join(f"<p>{html.escape(note)}</p>" for note in (*more, *notes))
    return (
        f"<p><b>{html.escape(title)}</b></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{lines}"
    )


def _escaped(cell: Value) -> str:
    if cell is None:
        return "–"
    return html.escape(f"{cell:.4f}" if isinstance(cell, float) else str(cell))
