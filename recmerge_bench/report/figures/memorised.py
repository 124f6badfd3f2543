"""Losses on memorised steps beside those on the other targets, drawn by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from recmerge_bench.data.slices import SEEN_STEP
from recmerge_bench.identity import Place
from recmerge_bench.report.figures.data import FigureData, Point
from recmerge_bench.report.figures.rows import named
from recmerge_bench.results.card_values import Loss, MemorisedCard
from recmerge_bench.results.header import Header
from recmerge_bench.results.places import board_places
from recmerge_bench.results.records import Records
from recmerge_bench.untrusted.paths import MEMORISED, apart

#: Short enough for one panel's width; half an interval of 95 % stands for a spread.
TITLE = "What merging loses: {track}, {protocol}"
#: The second series stands a little beside the first.
BESIDE = 0.2


def card_figures(header: Header) -> dict[Place, str]:
    """Table -> the name of its figure; none where the suite does not report the groups."""
    if not any(SEEN_STEP.startswith(name) for name in header.groups):
        return {}
    places = board_places(header)
    return dict(zip(places, apart([(MEMORISED, *place) for place in places]), strict=True))


def memorised_figures(records: Records) -> list[FigureData]:
    """One for each table with cards of memorised steps: a panel for each backbone."""
    names, drawn = card_figures(records.header), []
    for place, name in names.items():
        cards = [one for one in records.cards.memorised if one.place == place and one.rows]
        if not cards:
            continue
        ticks = tuple(dict.fromkeys(named(row) for card in cards for row in card.rows))
        points = tuple(point for card in cards for point in _points(card, ticks))
        title = TITLE.format(track=place.track, protocol=place.protocol)
        if points:
            drawn.append(FigureData(name, title, "", points, ticks, "dot", "95 % interval"))
    return drawn


def _points(card: MemorisedCard, ticks: tuple[str, ...]) -> Iterator[Point]:
    panel = f"{card.metric} lost, % of the experts', {card.reference.backbone}"
    for shift, series in ((0.0, "memorised steps"), (BESIDE, "other targets")):
        for row in card.rows:
            loss = row.seen if series == "memorised steps" else row.new
            if loss.loss is not None:
                place = ticks.index(named(row)) + shift
                yield Point(panel, series, place, 100 * loss.loss, _half(loss), row.seeds)


def _half(loss: Loss) -> float | None:
    """Half the interval's width, per cent."""
    return None if loss.lower is None or loss.upper is None else 50 * (loss.upper - loss.lower)
