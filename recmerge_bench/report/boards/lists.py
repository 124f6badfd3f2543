"""Metrics of the first items of rankings on boards: coverage and its like, beside the accuracy."""

from __future__ import annotations

from collections.abc import Sequence

from recmerge_bench.names import MEAN
from recmerge_bench.report.boards import elements
from recmerge_bench.report.boards.elements import plain
from recmerge_bench.report.boards.table import Line
from recmerge_bench.results.header import Header

TITLE = "### First items of the rankings"
#: Nothing is best here: which way is better depends on what a reader wants.
_UNMARKED = (None, None)


def compact(header: Header, lines: Sequence[Line]) -> list[str]:
    """All metrics of lists, means over the domains, and what they are; empty where there are none.

    Args:
        header: names them.
        lines: of a table, done.
    """
    names, some, reasons = header.names_of_lists, _with_lists(header, lines), missing(lines)
    notes = ["\n".join(f"- {plain(reason)}" for reason in reasons)] if reasons else []
    if not some:
        return [TITLE, *notes] if notes else []
    rows = [
        [*elements.name(line), *(elements.cell(line, MEAN, m, _UNMARKED, False) for m in names)]
        for line in some
    ]
    meanings = [f"- {plain(m.name)}: {plain(m.summary)}" for m in header.list_metrics]
    table = elements.table(["backbone", "method", *map(plain, names)], rows)
    return [TITLE, table, "\n".join(["Means over the domains and seeds.", "", *meanings]), *notes]


def missing(lines: Sequence[Line]) -> list[str]:
    """What list metrics have no values and why, one line for all rows that share a reason.

    Args:
        lines: of a table, done.
    """
    rows: dict[str, dict[str, list[str]]] = {}
    for line in lines:
        for name, reason in line.lists_missing:
            row = " ".join(part for part in line.name if part != "–")
            rows.setdefault(reason, {}).setdefault(row, []).append(name)
    texts = []
    for reason, by_row in rows.items():
        names = dict.fromkeys(name for of_row in by_row.values() for name in of_row)
        of_rows = "all rows" if len(by_row) == len(lines) > 1 else ", ".join(by_row)
        texts.append(f"no {', '.join(names)} of {of_rows}: {reason}")
    return texts


def whole(header: Header, lines: Sequence[Line]) -> list[str]:
    """A table of each metric of lists, by domain, with the spread over the seeds."""
    some, parts = _with_lists(header, lines), list[str]()
    for metric in header.list_metrics if some else ():
        domains = [*some[0].domains, MEAN]
        rows = [
            [
                *elements.name(line),
                *(elements.cell(line, d, metric.name, _UNMARKED) for d in domains),
                elements.seeds(line),
            ]
            for line in some
        ]
        table = elements.table(["backbone", "method", *map(plain, domains), "seeds"], rows)
        parts += [f"### {plain(metric.name)}", plain(metric.summary), table]
    if reasons := missing(lines):
        notes = "\n".join(f"- {plain(reason)}" for reason in reasons)
        parts += ["### First items without values", notes]
    return parts


def _with_lists(header: Header, lines: Sequence[Line]) -> list[Line]:
    """Rows of a table in which any row has values of lists; those that have none have dashes."""
    names = header.names_of_lists
    return list(lines) if any((MEAN, n) in line.values for n in names for line in lines) else []
