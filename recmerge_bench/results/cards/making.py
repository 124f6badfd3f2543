"""All cards of a suite that follow from its stored ranks."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.registry import Registry
from recmerge_bench.results.card_values import Cards, OfPlace
from recmerge_bench.results.cards.memorised import Groups, memorised_cards
from recmerge_bench.results.cards.order import order_cards
from recmerge_bench.results.cards.scored import Sources
from recmerge_bench.results.cards.splits import split_cards
from recmerge_bench.results.cards.ties import tie_cards
from recmerge_bench.results.comparisons import Ranks
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Result


def make_cards(
    registry: Registry,
    header: Header,
    results: Sequence[Result],
    ranks: Ranks,
    groups: Groups | None = None,
) -> Cards:
    """Cards of a suite; of smoke boards those of ties alone, which say nothing of methods.

    Args:
        registry: for the metrics.
        header: of the suite.
        results: done or not.
        ranks: key of a result -> its table.
        groups: key of a split -> groups of its test targets.

    Raises:
        HandledError: rows of one table were ranked on different test targets.
    """
    sources = Sources(registry, header, results, ranks)
    made: dict[str, Sequence[OfPlace]] = {"ties": tie_cards(sources)}
    if header.label != "smoke":
        made |= {
            "order": order_cards(sources),
            "memorised": memorised_cards(sources, groups or {}),
            "splits": split_cards(sources),
        }
    return Cards.model_validate({name: cards for name, cards in made.items() if cards})
