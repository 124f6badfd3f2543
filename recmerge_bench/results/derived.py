"""What a suite's records say of rows together, from stored ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recmerge_bench.registry import Registry
from recmerge_bench.results.across import make_across
from recmerge_bench.results.cards.making import make_cards
from recmerge_bench.results.comparisons import Ranks, make_comparisons
from recmerge_bench.results.groups import Group
from recmerge_bench.results.records import Records

#: Parts of records that all rows of a table make together.
DERIVED = ("comparisons", "across", "cards")


def with_derived(
    registry: Registry,
    records: Records,
    ranks: Ranks,
    groups: Mapping[str, Sequence[Group]] | None = None,
) -> Records:
    """The records with these parts made anew of their header and results; an empty one is absent.

    Args:
        registry: for the metric.
        records: whatever else they hold.
        ranks: key of a result -> its table.
        groups: key of a split -> groups of its test targets.
    """
    header, results = records.header, records.results
    compared = make_comparisons(registry, header, results, ranks)
    across = make_across(registry, header, results, ranks, compared)
    cards = make_cards(registry, header, results, ranks, groups)
    made = {"comparisons": compared, "across": across, "cards": cards if cards.some else None}
    return without_derived(records).changed(**{name: part for name, part in made.items() if part})


def without_derived(records: Records) -> Records:
    """The records without these parts."""
    return records.without(*DERIVED)
