"""Records by table and row, as boards and cards ask for them again and again."""

from __future__ import annotations

from recmerge_bench.identity import Place, Row
from recmerge_bench.last_value import remembers_last
from recmerge_bench.results.records import Records, Result


@remembers_last
def done_by_row(records: Records) -> dict[Place, dict[Row, list[Result]]]:
    """Table -> row -> its results that are done, all in the order of the records.

    They belong to all who ask: they are read, not changed.
    """
    tables: dict[Place, dict[Row, list[Result]]] = {}
    for place, results in done_by_place(records).items():
        rows = tables.setdefault(place, {})
        for result in results:
            rows.setdefault(result.identity.row, []).append(result)
    return tables


@remembers_last
def done_by_place(records: Records) -> dict[Place, list[Result]]:
    """Table -> its results that are done, in the order of the records; read, not changed."""
    tables: dict[Place, list[Result]] = {}
    for result in records.results:
        if result.done:
            tables.setdefault(result.identity.place, []).append(result)
    return tables


__all__ = ["done_by_place", "done_by_row"]
