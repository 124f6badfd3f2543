"""A row for each result, domain and metric: CSV and Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.json_values import canonical
from recmerge_bench.names import MEAN
from recmerge_bench.report.exports.source import Source
from recmerge_bench.untrusted.paths import within
from recmerge_bench.untrusted.texts import cell

if TYPE_CHECKING:
    import pyarrow as pa

    from recmerge_bench.results.records import Records, Result


@dataclass(frozen=True, kw_only=True)
class LongRow:
    """A value of a metric with all that it is of; None where nothing is done or recorded.

    Attributes:
        suite: its name.
        dataset: and the following ones to `seed`: the result's identity.
        backbone: that a strategy ran on.
        method: strategy or model.
        recipe: as the suite calls it.
        profile: whose settings.
        variant: as the suite calls it.
        track: of the suite.
        protocol: that it is ranked under.
        seed: None where nothing depends on one.
        domain: ``mean`` is the unweighted mean over the domains.
        metric: its name.
        value: of it.
        status: ``done``, or why not.
        reason: why it is not done.
        instances: test targets.
        candidates: hash of the candidate sets, or ``full``.
        mask_history: whether items of the history are taken out of the ranking.
        data: fingerprint of the events.
        split: key of the split.
        key: of the result.
        options: of the method, canonical JSON.
        tuning: budgets, canonical JSON.
        configuration_sha256: of the configuration.
        configuration: canonical JSON.
    """

    suite: str
    dataset: str
    backbone: str
    method: str
    recipe: str
    profile: str
    variant: str
    track: str
    protocol: str
    seed: int | None
    domain: str
    metric: str
    value: float | None
    status: str
    reason: str
    instances: int | None
    candidates: str | None
    mask_history: bool | None
    data: str | None
    split: str | None
    key: str
    options: str | None = None
    tuning: str | None = None
    configuration_sha256: str | None = None
    configuration: str | None = None


#: Names of the columns, in this order.
COLUMNS = tuple(field.name for field in fields(LongRow))


def rows(records: Records) -> Iterator[LongRow]:
    """The rows, in the order of the records; a domain ``mean`` is the mean over the domains."""
    for result in records.results:
        for domain in (*result.domains, MEAN):
            for metric in (*records.header.metrics, *_of_lists(records, result)):
                yield _row(records.suite, result, domain, metric)


def _of_lists(records: Records, result: Result) -> list[str]:
    """Metrics of lists, where the result has any: those of sampled candidates have none."""
    return records.header.names_of_lists if result.list_metrics else []


def _row(suite: str, result: Result, domain: str, metric: str) -> LongRow:
    identity, done = result.identity, result.done
    return LongRow(
        suite=suite,
        dataset=identity.dataset,
        backbone=identity.backbone,
        method=identity.method,
        recipe=identity.recipe,
        profile=identity.profile,
        variant=identity.variant,
        track=identity.track,
        protocol=identity.protocol,
        seed=identity.seed,
        domain=domain,
        metric=metric,
        value=_value(result, domain, metric),
        status=result.status,
        reason=result.reason,
        instances=_instances(result, domain),
        candidates=result.candidates if done else None,
        mask_history=result.mask_history if done else None,
        data=result.data if done else None,
        split=result.split if done else None,
        key=result.key,
        **_configuration(result),
    )


def _value(result: Result, domain: str, metric: str) -> float | None:
    for values in (result.metrics, result.list_metrics):
        if metric in values.get(domain, {}):
            return values[domain][metric]
    return None


def _configuration(result: Result) -> dict[str, str]:
    """Canonical JSON of the configuration and of two of its parts; nothing where not recorded."""
    if result.configuration is None:
        return {}
    made = result.configuration
    return {
        "options": canonical(made.method.options),
        "tuning": canonical(made.tuning.model_dump(exclude_unset=True)),
        "configuration_sha256": result.configuration_sha256,
        "configuration": canonical(made.recorded()),
    }


def _instances(result: Result, domain: str) -> int | None:
    if not result.instances:
        return None
    if domain == MEAN:
        return sum(result.instances.values())
    return result.instances.get(domain, 0)


def long_table(records: Records) -> pa.Table:
    """The rows as a table: seeds and instances int64, values float64, nulls where there is none."""
    import pyarrow as pa

    kinds = {
        "seed": pa.int64(), "instances": pa.int64(), "value": pa.float64(),
        "mask_history": pa.bool_(),
    }  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    return pa.Table.from_pylist([asdict(row) for row in rows(records)], schema)


def write_csv(source: Source, folder: Path) -> Iterator[Path]:
    """``<suite>.csv``: UTF-8, values to the last bit, empty where there is none.

    Text that a spreadsheet would compute (``=...``) has an apostrophe before it.
    """
    path = within(folder, f"{source.records.suite}.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in long_table(source.records).to_pylist():
            writer.writerow({name: _field(value) for name, value in row.items()})
    yield path


def _field(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell(value) if isinstance(value, str) else value


def write_parquet(source: Source, folder: Path) -> Iterator[Path]:
    """``<suite>.parquet``: the same, nulls where there is none."""
    import pyarrow.parquet as pq

    path = within(folder, f"{source.records.suite}.parquet")
    pq.write_table(long_table(source.records), path)
    yield path
