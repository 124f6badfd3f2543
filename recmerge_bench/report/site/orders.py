"""Order cards of the boards that test on a dataset: what shuffled histories cost each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recmerge_bench.report.boards.table import tables
from recmerge_bench.report.cards import order
from recmerge_bench.report.site.load import Suite
from recmerge_bench.report.site.uses import view

if TYPE_CHECKING:
    from recmerge_bench.identity import Place
    from recmerge_bench.report.cards.parts import CardTable


@dataclass(frozen=True)
class Order:
    """A card and the table that it belongs to.

    Attributes:
        suite: its name.
        place: track and protocol.
        link: hash of the boards' page that shows the table.
        card: as the boards print it.
    """

    suite: str
    place: Place
    link: str
    card: CardTable


def orders(suites: Sequence[Suite], name: str) -> list[Order]:
    """Of all tables of a dataset whose histories a suite shuffles."""
    return [
        Order(suite.shown, place, view(suite.name, *place), card)
        for suite in suites
        if suite.records.cards.order
        for place, lines in tables(suite.records).items()
        if suite.header.tracks[place.track].dataset == name
        for card in order.tables(suite.records, place, lines)
    ]
