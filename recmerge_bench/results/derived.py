"""What a suite's records say of rows together, from stored ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recmerge_bench.registry import Registry
from recmerge_bench.results.across import make_across
from recmerge_bench.results.comparisons import Ranks, make_comparisons

#: Parts of records that all rows of a table make together.
DERIVED = ("comparisons", "across")


def with_derived(
    registry: Registry, records: Mapping[str, Any], ranks: Ranks
) -> dict[str, Any]:
    """The records with these parts made anew of their header and results; an empty one is absent.

    Args:
        registry: for the metric.
        records: ``header`` and ``results``, whatever else they hold.
        ranks: key of a result -> its table.
    """
    header: Mapping[str, Any] = records["header"]
    results: Sequence[Mapping[str, Any]] = records["results"]
    compared = make_comparisons(registry, header, results, ranks)
    made = {
        "comparisons": compared,
        "across": make_across(registry, header, results, ranks, compared),
    }
    return {
        **without_derived(records),
        **{name: part for name, part in made.items() if part},
    }


def without_derived(records: Mapping[str, Any]) -> dict[str, Any]:
    """The records without these parts."""
    return {name: part for name, part in records.items() if name not in DERIVED}
