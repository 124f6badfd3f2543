"""Whether another split of the same events orders the same rows alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from recmerge_bench.identity import Place, Row
from recmerge_bench.results.card_values import SplitCard
from recmerge_bench.results.cards.scored import Sources, common, values_of
from recmerge_bench.results.places import board_places
from recmerge_bench.results.records import Result
from recmerge_bench.statistics.agreement import agreement
from recmerge_bench.statistics.scores import Scores, Units

#: Fewer rows than this have no order to speak of.
LEAST = 3


def split_cards(sources: Sources) -> list[SplitCard]:
    """One for each two tables of the same events, split otherwise and ranked alike.

    Ranked alike: by the same metric among as many candidates, histories masked or not in both.
    """
    known = [(place, first) for place in board_places(sources.header)
             if (first := sources.first(place)) is not None]  # fmt: skip
    return [
        card
        for (one, first), (other, second) in combinations(known, 2)
        if _comparable(sources, first, second)
        for card in _card(sources, one, other)
    ]


def _comparable(sources: Sources, first: Result, second: Result) -> bool:
    alike = first.data == second.data and sorted(first.domains) == sorted(second.domains)
    protocols = [sources.header.protocols.get(r.identity.protocol) for r in (first, second)]
    known = [p for p in protocols if p is not None]
    return (
        alike
        and first.split != second.split
        and first.mask_history == second.mask_history
        and len(known) == 2
        and known[0].negatives == known[1].negatives
    )


def _card(sources: Sources, one: Place, other: Place) -> Iterator[SplitCard]:
    first, second = sources.done(one), sources.done(other)
    rows = list(common(first, second))
    if len(rows) < LEAST:
        return
    agreed = agreement(_table(sources, one, first, rows), _table(sources, other, second, rows))
    yield SplitCard.model_validate(
        {
            **one._asdict(),
            "metric": sources.header.primary,
            "other_track": other.track,
            "other_protocol": other.protocol,
            **values_of(agreed),
        }
    )


def _table(
    sources: Sources, place: Place, done: Mapping[Row, Mapping[int | None, str]], rows: list[Row]
) -> tuple[list[Scores], Units]:
    """Scores of these rows of a table, and its instances."""
    chosen = {row: done[row] for row in rows}
    units = sources.units(chosen, f"track '{place.track}', protocol '{place.protocol}'")
    return list(sources.scored(chosen).values()), units
