"""The order card: true and shuffled histories beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.table import Line, names_of
from recmerge_bench.report.cards.parts import CardTable, interval, percent, row_name
from recmerge_bench.results.records import Records

HEADERS = ("backbone", "method", "true order", "shuffled", "loss", "95 %", "seeds")
NOTE = (
    "The same trained models rank the same targets with the events of each history in random order "
    "(protocol {shuffled}, seed {seed}): each model reads the items that it reads in true order. "
    "The loss is what of the metric's mean goes with the order; where it is small, a model reads a "
    "set and no sequence."
)


def tables(records: Records, place: Place, lines: Sequence[Line]) -> list[CardTable]:
    """None where the suite does not shuffle this table's histories."""
    card = next((one for one in records.cards.order if one.place == place), None)
    if card is None:
        return []
    names = names_of(lines)
    rows = [
        [
            *row_name(row, names), f"{row.loss.reference:.4f}", f"{row.loss.kept:.4f}",
            percent(row.loss.loss), interval(row.loss.lower, row.loss.upper),
            str(row.seeds or "–"),
        ]
        for row in card.rows
    ]  # fmt: skip
    protocol = records.header.protocols.get(card.shuffled)
    seed = "?" if protocol is None else protocol.shuffle_seed
    note = NOTE.format(shuffled=card.shuffled, seed=seed)
    return [CardTable(f"Order: {card.metric} on shuffled histories", HEADERS, rows, note)]
