"""Every row under both orders of equal scores, from the two counts of its ranks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recmerge_bench.data.slices import TIED
from recmerge_bench.results.card_values import TieCard, TieRow
from recmerge_bench.results.cards.scored import Sources
from recmerge_bench.results.comparisons import plain_numbers, units_of
from recmerge_bench.results.header import Header
from recmerge_bench.results.metrics import metric_values
from recmerge_bench.results.places import board_places

#: Order of equals -> how `recmerge_bench.evaluation.metrics.rank` calls it.
ORDERS = {"first": "optimistic", "middle": "mid", "last": "pessimistic"}


def tie_cards(sources: Sources) -> list[TieCard]:
    """One for each table that boards print and of which something is done."""
    made = []
    for place in board_places(sources.header):
        rows = sources.done(place)
        first = sources.first(place)
        if first is None or not len(sources.ranks(first.key).users):
            continue
        made.append(
            TieCard(
                **place._asdict(),
                metric=sources.header.primary,
                equal_times=plain_numbers(equal_times(sources.header, first.split)),
                rows=[
                    TieRow.model_validate({**row._asdict(), **_means(sources, seeds.values())})
                    for row, seeds in rows.items()
                ],
            )
        )
    return made


def _means(sources: Sources, keys: Iterable[str]) -> dict[str, float]:
    """Of all seeds of a row."""
    metric, by_name = sources.header.primary, dict[str, list[float]]()
    for key in keys:
        table = sources.ranks(key)
        units = units_of(table)
        values = {
            name: metric_values(sources.registry, [metric], table, order)[metric]
            for name, order in ORDERS.items()
        }
        values["tied"] = (table.n_equal > 0).astype(np.float64)
        values["moved"] = (values["first"] != values["last"]).astype(np.float64)
        for name, one in values.items():
            by_name.setdefault(name, []).append(float(units.mean(one)))
    return {name: plain_numbers(float(np.mean(some))) for name, some in by_name.items()}


def equal_times(header: Header, split: str) -> float | None:
    """Share of a split's test targets that are one of several events of their time."""
    audit = header.audits.get(split)
    if audit is None or not audit.timed:
        return None
    if audit.equal_times is not None:
        return audit.equal_times
    fact = header.group_facts.get(split, {}).get(TIED)
    return fact.instances / audit.instances if fact and audit.instances else None
