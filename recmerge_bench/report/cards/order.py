"""The order card: true and shuffled histories beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.identity import Place
from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.report.boards.table import Line, names_of
from recmerge_bench.report.cards.parts import interval, percent, row_name
from recmerge_bench.results.records import Records

NOTE = (
    "The same trained models rank the same targets with the events of each history in random order "
    "(protocol {shuffled}, seed {seed}): each model reads the items that it reads in true order. "
    "The loss is what of the metric's mean goes with the order; where it is small, a model reads a "
    "set and no sequence. Targets alone stay the last ones."
)


def section(records: Records, place: Place, lines: Sequence[Line]) -> list[str]:
    """Heading, table and what it is; nothing where the suite has no shuffled table."""
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
    headers = ["backbone", "method", "true order", "shuffled", "loss", "95 %", "seeds"]
    return [
        f"### Order: {plain(card.metric)} on shuffled histories",
        table(headers, rows),
        NOTE.format(shuffled=plain(card.shuffled), seed=seed),
    ]
