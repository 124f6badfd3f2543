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
    names, some = header.names_of_lists, _with_lists(header, lines)
    if not some:
        return []
    rows = [
        [*elements.name(line), *(elements.cell(line, MEAN, m, _UNMARKED, False) for m in names)]
        for line in some
    ]
    meanings = [f"- {plain(m.name)}: {plain(m.summary)}" for m in header.list_metrics]
    table = elements.table(["backbone", "method", *map(plain, names)], rows)
    return [TITLE, table, "\n".join(["Means over the domains and seeds.", "", *meanings])]


def whole(header: Header, lines: Sequence[Line]) -> list[str]:
    """A table of each metric of lists, by domain, with the spread over the seeds."""
    some = _with_lists(header, lines)
    parts = []
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
    return parts


def _with_lists(header: Header, lines: Sequence[Line]) -> list[Line]:
    """Rows of a table in which any row has values of lists; those that have none have dashes."""
    names = header.names_of_lists
    return list(lines) if any((MEAN, n) in line.values for n in names for line in lines) else []
