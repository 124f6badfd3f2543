"""Records as plain rows: one for each result and domain, configurations taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from recmerge_bench.identity import FIELDS
from recmerge_bench.names import MEAN

if TYPE_CHECKING:
    from recmerge_bench.results.records import Records, Result


def long_rows(records: Records) -> list[dict[str, object]]:
    """A row for each result and domain, and for ``mean``: over the domains.

    Every row has the same keys; what a result does not have is None.
    """
    parts = [_configuration(result) for result in records.results]
    names = dict.fromkeys(name for part in parts for name in part)
    return [
        {
            "suite": records.suite,
            **{field: getattr(result.identity, field) for field in FIELDS},
            "domain": domain,
            "status": result.status,
            "reason": result.reason,
            "instances": _instances(result, domain),
            **_values(records, result, domain),
            "key": result.key,
            "configuration_sha256": result.configuration_sha256,
            **{name: part.get(name) for name in names},
        }
        for result, part in zip(records.results, parts, strict=True)
        for domain in (*result.domains, MEAN)
    ]


def _values(records: Records, result: Result, domain: str) -> dict[str, object]:
    """Metrics of ranks, then those of lists."""
    ranks, lists = (m.get(domain, {}) for m in (result.metrics, result.list_metrics))
    header = records.header
    return {
        **{name: ranks.get(name) for name in header.metrics},
        **{name: lists.get(name) for name in header.names_of_lists},
    }


def _instances(result: Result, domain: str) -> int | None:
    """Test targets of a domain, or of all for the mean; None where nothing is done."""
    if not result.done:
        return None
    return sum(result.instances.values()) if domain == MEAN else result.instances.get(domain, 0)


def _configuration(result: Result) -> dict[str, object]:
    if result.configuration is None:
        return {}
    return dict(sorted(places(result.configuration.recorded(), "configuration").items()))


def places(value: Mapping[str, object], above: str = "") -> dict[str, object]:
    """Dotted place -> value, of nested mappings; an empty mapping has no place."""
    leaves: dict[str, object] = {}
    for key, inner in value.items():
        place = f"{above}.{key}" if above else key
        leaves |= places(inner, place) if isinstance(inner, Mapping) else {place: inner}
    return leaves
