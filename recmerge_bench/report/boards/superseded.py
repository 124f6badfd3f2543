"""The mark of a board that another one has replaced."""

from __future__ import annotations

from recmerge_bench.report.boards.elements import plain
from recmerge_bench.results.header import Superseded


def superseded_text(mark: Superseded) -> str:
    """What is said of it, as plain text."""
    why = f": {mark.why.rstrip('.')}" if mark.why else ""
    return (
        f"Superseded by {mark.by}{why}. It is kept in the archive: its numbers are checked as "
        "before, and nothing is added to it."
    )


def marked(board: str, mark: Superseded | None) -> str:
    """A board's Markdown with the mark below its heading, linked to the board that replaced it."""
    if mark is None:
        return board
    heading, _, rest = board.partition("\n")
    head = f"Superseded by {mark.by}"
    linked = f"**Superseded by [{plain(mark.by)}](../{mark.by}.md)**"
    return f"{heading}\n\n> {linked}{plain(superseded_text(mark).removeprefix(head))}\n{rest}"
