"""Small parts of Markdown boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from recmerge_bench.identity import Row
from recmerge_bench.report.boards.table import Line
from recmerge_bench.results.compared import Compared
from recmerge_bench.untrusted.texts import code, markdown

#: By how much a column is at least wider than its header.
HEADER_ROOM = 2
Best = tuple[float | None, float | None]


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    Args:
        headers: of the columns.
        rows: a text for each column, of one line.
    """
    columns = [[text.strip() for text in column] for column in zip(headers, *rows, strict=True)]
    widths = [
        max(len(header) + HEADER_ROOM, *map(len, column))
        for header, column in zip(headers, columns, strict=True)
    ]
    padded = [
        [f" {text.ljust(width)} " for text in column]
        for column, width in zip(columns, widths, strict=True)
    ]
    rule = "-|-".join("-" * width for width in widths)
    head, *body = map("|".join, zip(*padded, strict=True))
    return "\n".join([f"|{head}|", f"|-{rule}-|", *(f"|{line}|" for line in body)])


def plain(text: str) -> str:
    """Text of one cell, or within a line; printed as it is, whoever wrote it."""
    return markdown(text)


def name(line: Line) -> tuple[str, str]:
    """Backbone and method of a row."""
    backbone, method = line.name
    return plain(backbone), plain(method)


def marked(value: float, best: Best) -> str:
    """Four decimals, the best bold and the second underlined."""
    text = f"{value:.4f}"
    if round(value, 4) == best[0]:
        return f"**{text}**"
    return f"<u>{text}</u>" if round(value, 4) == best[1] else text


def cell(line: Line, domain: str, metric: str, best: Best, spread: bool = True) -> str:
    """Mean over the seeds, with the sample standard deviation if wanted and there is one."""
    value = line.mean(domain, metric)
    if value is None:
        return "–"
    deviation = line.spread(domain, metric) if spread else None
    text = marked(value, best)
    return text if deviation is None else f"{text} ± {deviation:.4f}"


def seeds(line: Line) -> str:
    """How many are done."""
    return "–" if line.seeds == [None] else str(len(line.seeds))


def seed_list(seeds: Sequence[int | None]) -> str:
    """Seeds in their order; that of a method that depends on none as a dash."""
    known = [str(s) for s in sorted(s for s in seeds if s is not None)]
    return ", ".join(["–"] * (None in seeds) + known)


def percent(values: Sequence[float], spread: bool = True) -> str:
    """Shares of the seeds as per cent: mean, and standard deviation of two or more."""
    if not values:
        return "–"
    text = f"{100 * mean(values):.1f}"
    deviation = f" ± {100 * stdev(values):.1f}" if spread and len(values) > 1 else ""
    return f"{text}{deviation} %"


def p_value(value: float) -> str:
    """Three decimals, and no zero."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def facts(rows: Sequence[tuple[str, str]], first: str) -> str:
    """A table of two columns."""
    return table((first, ""), rows)


def baseline_name(family: Compared, names: Mapping[Row, tuple[str, str]]) -> str:
    """The baseline as the table's rows have it, between backticks."""
    shown_name = names.get(family.baseline.row)
    return code(shown_name[1] if shown_name else family.baseline.method)
