"""A row for each result, domain and metric: CSV and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from recmerge_bench.planning.keys import canonical
from recmerge_bench.report.exports.source import Source
from recmerge_bench.results.results import IDENTITY, MEAN
from recmerge_bench.untrusted.paths import within
from recmerge_bench.untrusted.texts import cell

#: What each row says, in this order. Counts, hashes and values are empty where nothing is done.
COLUMNS = (
    "suite", *IDENTITY, "domain", "metric", "value", "status", "reason", "instances",
    "candidates", "mask_history", "data", "split", "key", "options", "tuning",
    "configuration_sha256", "configuration",
)  # fmt: skip


def rows(records: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows, in the order of the records; a domain ``mean`` is the mean over the domains."""
    for result in records["results"]:
        metrics, done = result.get("metrics", {}), result["status"] == "done"
        common = {
            "suite": records["suite"],
            **{k: result["identity"][k] for k in IDENTITY},
            **{k: result.get(k) for k in ("candidates", "data", "split") if done},
            "mask_history": result["mask_history"] if done else None,
            "status": result["status"],
            "reason": result.get("reason", ""),
            "key": result["key"],
            **_configuration(result),
        }
        for domain in (*result["domains"], MEAN):
            for metric in records["header"]["metrics"]:
                found = {
                    **common,
                    "domain": domain,
                    "metric": metric,
                    "value": metrics.get(domain, {}).get(metric),
                    "instances": _instances(result, domain),
                }
                yield {k: found.get(k) for k in COLUMNS}


def _configuration(result: Mapping[str, Any]) -> dict[str, str | None]:
    """Canonical JSON of the configuration and of two of its parts; empty where not recorded."""
    told = result.get("configuration")
    if not told:
        return {}
    return {
        "options": canonical(told["method"]["options"]),
        "tuning": canonical(told["tuning"]),
        "configuration_sha256": result["configuration_sha256"],
        "configuration": canonical(told),
    }


def _instances(result: Mapping[str, Any], domain: str) -> int | None:
    counts: dict[str, int] = result.get("instances", {})
    if not counts:
        return None
    return sum(counts.values()) if domain == MEAN else counts.get(domain, 0)


def write_csv(source: Source, folder: Path) -> Iterator[Path]:
    """``<suite>.csv``: UTF-8, values to the last bit, empty where there is none.

    Text that a spreadsheet would compute (``=...``) has an apostrophe before it.
    """
    path = within(folder, f"{source.records['suite']}.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows(source.records):
            writer.writerow({k: _field(v) for k, v in row.items()})
    yield path


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell(value) if isinstance(value, str) else value


def write_parquet(source: Source, folder: Path) -> Iterator[Path]:
    """``<suite>.parquet``: the same, nulls where there is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {
        "seed": pa.int64(), "instances": pa.int64(), "value": pa.float64(),
        "mask_history": pa.bool_(),
    }  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    path = within(folder, f"{source.records['suite']}.parquet")
    pq.write_table(pa.Table.from_pylist(list(rows(source.records)), schema), path)
    yield path
