"""Does merging lose memorised steps first? Losses beside the experts on either kind of target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.slices import SEEN_STEP
from recmerge_bench.identity import NamedRow, Place, Row
from recmerge_bench.results.card_values import MemorisedCard, MemorisedRow
from recmerge_bench.results.cards.scored import Sources, values_of
from recmerge_bench.results.gates import SHUT, closed
from recmerge_bench.results.groups import Group
from recmerge_bench.results.places import board_places
from recmerge_bench.statistics.relative import Excess, excesses
from recmerge_bench.statistics.scores import pair, share_seeds
from recmerge_bench.statistics.verdicts import NONE, Judgement

#: An excess of a hundredth of the expert's metric does not matter.
MARGIN = 0.01
Groups = Mapping[str, Sequence[Group]]


def memorised_cards(sources: Sources, groups: Groups) -> list[MemorisedCard]:
    """One for each table and backbone with experts, where the suite has the groups.

    All rows of a card are one family. Rows that share no seed with the experts are left out.

    Args:
        sources: see there.
        groups: key of a split -> its groups.
    """
    cards = []
    for place in board_places(sources.header):
        first = sources.first(place)
        named = {g.name: g for g in groups.get(first.split, ())} if first else {}
        if SEEN_STEP in named:
            cards += list(_cards(sources, place, named[SEEN_STEP].rows))
    return cards


def references(rows: Sequence[Row], method: str | None) -> dict[str, Row]:
    """Backbone -> the row of its experts: the first of that method."""
    chosen: dict[str, Row] = {}
    for row in rows:
        if row.method == method and row.backbone:
            chosen.setdefault(row.backbone, row)
    return chosen


def _cards(sources: Sources, place: Place, seen: NDArray[np.bool_]) -> Iterator[MemorisedCard]:
    done = sources.done(place)
    experts = references(list(done), sources.header.tracks[place.track].reference)
    if not experts:
        return
    units, scores = sources.units(done, f"track '{place.track}'"), sources.scored(done)
    shut = closed(sources.header, sources.results, place)
    merged = {r.identity.row for r in sources.results if r.merge is not None}
    for backbone, expert in experts.items():
        rows = [
            row
            for row in done
            if row.backbone == backbone and row != expert
            and share_seeds(scores[row], scores[expert])
        ]  # fmt: skip
        pairs = [pair(scores[row], scores[expert]) for row in rows]
        per_row = excesses(pairs, units, seen, MARGIN) if rows else []
        if backbone in shut:
            per_row = [_without(one) for one in per_row]
        yield MemorisedCard(
            **place._asdict(),
            metric=sources.header.primary,
            reference=NamedRow(**expert._asdict()),
            seen=int(seen.sum()),
            new=int((~seen).sum()),
            rows=[
                MemorisedRow.model_validate({
                    **row._asdict(), "merged": row in merged, "seeds": len(both.seeds),
                    **_values(one),
                })
                for row, both, one in zip(rows, pairs, per_row, strict=True)
            ],
        )  # fmt: skip


def _values(one: Excess) -> dict[str, object]:
    """As records have it."""
    values = values_of(one)
    return {"seen": values.pop("some"), "new": values.pop("others"), **values}


def _without(one: Excess) -> Excess:
    """The same without a verdict: the experts are not worth merging."""
    return Excess(one.some, one.others, one.excess, one.lower, one.upper, Judgement(NONE, SHUT))
