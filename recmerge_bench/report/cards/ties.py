"""The tie card: every row with the target first and last among its equals."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.table import Line, names_of
from recmerge_bench.report.cards.parts import CardTable, percent, row_name
from recmerge_bench.results.grouped import done_by_place
from recmerge_bench.results.records import Records

HEADERS = ("backbone", "method", "first", "middle", "last", "tied", "moved")
NOTE = (
    "Means over domains and seeds. First, last: the target stands before or behind all items of "
    "its score; the board has the middle. Tied: targets that share their score with another item; "
    "moved: targets whose metric the order of equals changes."
)


def tables(records: Records, place: Place, lines: Sequence[Line]) -> list[CardTable]:
    """With the share of targets that equal times decided."""
    card = next((one for one in records.cards.ties if one.place == place), None)
    if card is None:
        return []
    names = names_of(lines)
    rows = [
        [
            *row_name(row, names), f"{row.first:.4f}", f"{row.middle:.4f}", f"{row.last:.4f}",
            percent(row.tied), percent(row.moved),
        ]
        for row in card.rows
    ]  # fmt: skip
    note = f"{NOTE} {_times(records, place, card.equal_times)}"
    return [CardTable(f"Ties: {card.metric} by the order of equal scores", HEADERS, rows, note)]


def _times(records: Records, place: Place, share: float | None) -> str:
    """What the data's own ties decide."""
    if share is not None:
        return (
            f"Of the targets, {percent(share)} share their time with another event of their "
            "sequence: a tie rule of the data, not the user, made them targets."
        )
    done = (result.split for result in done_by_place(records).get(place, []))
    audit = records.header.audits.get(next(done, ""))
    if audit is not None and not audit.timed:
        return "Times are places in a sequence here: which targets share theirs is unknown."
    return "How many targets equal times decided is not in these records."
