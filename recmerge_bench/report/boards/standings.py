"""Where every row of a board stands, as plain JSON that no later schema of records changes."""

from __future__ import annotations

from typing import Any

from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.ranking import ranked
from recmerge_bench.report.boards.table import tables
from recmerge_bench.results.records import Records


def standings(records: Records) -> list[dict[str, Any]]:
    """A table each: track, protocol, metric, and its rows that are done.

    A row has ``backbone`` and ``method`` (names; an empty backbone where there is none), ``label``
    as printed, ``band``, ``rank`` within the band of ``of`` rows, and ``mean`` of the metric over
    domains and seeds.
    """
    metric = records.header.primary
    made = []
    for place, lines in tables(records).items():
        order = ranked(lines, metric)
        counts: dict[str, int] = {}
        for one in order:
            counts[one.band] = counts.get(one.band, 0) + 1
        rows = [
            {
                "backbone": one.line.identity.backbone, "method": one.line.identity.method,
                "label": one.line.name[1], "band": one.band, "rank": one.rank,
                "of": counts[one.band], "mean": round(one.line.mean(MEAN, metric) or 0.0, 6),
            }
            for one in order
        ]  # fmt: skip
        if rows:
            made.append({"track": place.track, "protocol": place.protocol, "metric": metric,
                         "rows": rows})  # fmt: skip
    return made
