"""Results of a run as rows: one for each result and domain, one for the mean over the domains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recmerge_bench.identity import FIELDS
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.results.reader import Reader, manifests
from recmerge_bench.results.run_manifest import RunResult

#: Keys of a row.
KEYS = (
    "suite", "dataset", "domain", *FIELDS[1:],
    "metrics", "status", "key", "configuration", "configuration_sha256", "seconds", "peak_memory",
    "provenance", "reason",
)  # fmt: skip


def rows(out: Path, registry: Registry, suite: str | None = None) -> list[dict[str, Any]]:
    """All rows of the suites run into a folder, as JSON has them; keys as in `KEYS`."""
    reader = Reader(out, registry)
    return [
        row
        for manifest in manifests(out, suite)
        for result in manifest.results
        for row in _rows(reader, manifest.suite, manifest.header.metrics, result)
    ]


def _rows(
    reader: Reader, suite: str, names: Sequence[str], result: RunResult
) -> list[dict[str, Any]]:
    values = reader.by_domain(names, result) if result.done else {}
    common = {"suite": suite, **_common(result), **_spent(reader, result)}
    places = (*result.domains, MEAN)
    own_rows = [{**common, "domain": d, "metrics": values.get(d, {})} for d in places]
    return [{key: row[key] for key in KEYS} for row in own_rows]


def _common(result: RunResult) -> dict[str, Any]:
    """What a result's rows have in common, done or not."""
    made = result.configuration
    return {
        **{name: getattr(result.identity, name) for name in FIELDS},
        "status": result.status,
        "reason": result.reason,
        "key": result.key,
        "configuration": None if made is None else made.recorded(),
        "configuration_sha256": result.configuration_sha256,
    }


def _spent(reader: Reader, result: RunResult) -> dict[str, Any]:
    """What its cells cost, and what they were computed with."""
    cells = reader.cells(result) if result.done else []
    return {
        "seconds": round(sum(cell.seconds for cell in cells), 3),
        "peak_memory": max((cell.peak_memory for cell in cells), default=0),
        "provenance": _provenance(reader, result) if cells else {},
    }


def _provenance(reader: Reader, result: RunResult) -> dict[str, Any]:
    versions = reader.provenance(result)
    return {**versions.own, "libraries": versions.libraries, "plugins": versions.plugins}
