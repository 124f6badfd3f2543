"""The split card: how alike two splits of the same events order the rows."""

from __future__ import annotations

from recmerge_bench.identity import Place
from recmerge_bench.report.cards.parts import CardTable
from recmerge_bench.results.card_values import Correlation
from recmerge_bench.results.records import Records

NOTE = (
    "Rank correlations of the rows' means over the domains, of the rows that both tables have. 1: "
    "the same order; 0: none in common. Intervals of 95 %: users are resampled once for both "
    "tables, seeds for each. Many rows that are close to one another make a correlation low by "
    "chance: the interval says how low."
)


HEADERS = ("table", "other split", "metric", "rows", "users", "Kendall's tau", "Spearman's rho")


def tables(records: Records, place: Place | None = None) -> list[CardTable]:
    """A line for each two tables, or those of one table alone; nothing where there are none."""
    cards = [
        card
        for card in records.cards.splits
        if place is None or place in (card.place, (card.other_track, card.other_protocol))
    ]
    rows = [
        [
            f"{card.track}, {card.protocol}", f"{card.other_track}, {card.other_protocol}",
            card.metric,
            str(card.methods), f"{card.users:,}", _cell(card.kendall), _cell(card.spearman),
        ]
        for card in cards
    ]  # fmt: skip
    return [CardTable("Split sensitivity", HEADERS, rows, NOTE)] if rows else []


def _cell(one: Correlation) -> str:
    return f"{one.value:.2f} [{one.lower:.2f}, {one.upper:.2f}]"
