"""The split card: how alike two splits of the same events order the rows."""

from __future__ import annotations

from recmerge_bench.report.boards.elements import plain, table
from recmerge_bench.results.card_values import Correlation
from recmerge_bench.results.records import Records

NOTE = (
    "Rank correlations of the rows' means over the domains, of the rows that both tables have. 1: "
    "the same order; 0: none in common. Intervals of 95 %: users drawn once for both tables, seeds "
    "drawn anew. Many rows that are close to one another make a correlation low by chance: the "
    "interval says how low."
)


def section(records: Records) -> list[str]:
    """Heading, a line for each two tables, and what it is; nothing where there are none."""
    cards = records.cards.splits
    if not cards:
        return []
    rows = [
        [
            plain(f"{card.track}, {card.protocol}"),
            plain(f"{card.other_track}, {card.other_protocol}"), plain(card.metric),
            str(card.methods), f"{card.users:,}", _cell(card.kendall), _cell(card.spearman),
        ]
        for card in cards
    ]  # fmt: skip
    headers = ["table", "other split", "metric", "rows", "users", "Kendall's tau", "Spearman's rho"]
    return ["## Split sensitivity", table(headers, rows), NOTE]


def _cell(one: Correlation) -> str:
    return f"{one.value:.2f} [{one.lower:.2f}, {one.upper:.2f}]"
