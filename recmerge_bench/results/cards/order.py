"""What rows lose where histories are shuffled: the same models, targets and items."""

from __future__ import annotations

from collections.abc import Iterator

from recmerge_bench.identity import Place
from recmerge_bench.results.card_values import OrderCard, OrderRow
from recmerge_bench.results.cards.scored import Sources, common, values_of
from recmerge_bench.results.places import places, true_order
from recmerge_bench.statistics.relative import losses
from recmerge_bench.statistics.scores import pair


def order_cards(sources: Sources) -> list[OrderCard]:
    """One for each table that the suite also ranks on shuffled histories."""
    return [card for place in places(sources.header) for card in _card(sources, place)]


def _card(sources: Sources, shuffled: Place) -> Iterator[OrderCard]:
    place = true_order(sources.header, shuffled)
    if place is None:
        return
    true, other = sources.done(place), sources.done(shuffled)
    rows = list(common(true, other))
    if not rows:
        return
    units = sources.units(
        {**{row: true[row] for row in rows}, **other}, f"'{place.protocol}' and shuffled"
    )
    sources.units(true, f"'{place.protocol}'")
    kept, reference = sources.scored({row: other[row] for row in rows}), sources.scored(true)
    pairs = [pair(kept[row], reference[row]) for row in rows]
    lost = losses(pairs, units)
    yield OrderCard(
        **place._asdict(),
        metric=sources.header.primary,
        shuffled=shuffled.protocol,
        rows=[
            OrderRow.model_validate(
                {**row._asdict(), "seeds": len(both.seeds), "loss": values_of(loss)}
            )
            for row, both, loss in zip(rows, pairs, lost, strict=True)
        ],
    )
