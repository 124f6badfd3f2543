"""The board on screen, at the end of a run."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recmerge_bench.identity import Place
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.gates import gate_texts
from recmerge_bench.report.boards.table import Line, best_two, tables
from recmerge_bench.results.records import Records


def print_board(records: Records, console: Console) -> None:
    """One compact table for each track and protocol: the primary metric by domain."""
    header = records.header
    metric = header.primary
    for (track, protocol), lines in tables(records).items():
        done = [line for line in lines if line.values]
        missing = sum(len(s) for line in lines for s in line.gaps.values())
        title = f"{track}, {protocol}: {metric}"
        if header.label == "smoke":
            title += " (smoke board, no verdicts)"
        if done:
            console.print(_table(done, metric, title))
            for text in gate_texts(records, Place(track, protocol)):
                console.print(text, markup=False)
        if missing:
            console.print(f"{track}, {protocol}: {missing} result(s) missing", markup=False)


def _table(lines: list[Line], metric: str, title: str) -> Table:
    domains = [*lines[0].domains, MEAN]
    best = {d: best_two(lines, d, metric)[0] for d in domains}
    table = Table(title=escape(title), title_justify="left")
    table.add_column("backbone")
    table.add_column("method")
    for domain in domains:
        table.add_column(escape(domain), justify="right")
    for line in lines:
        cells = []
        for domain in domains:
            value = line.mean(domain, metric)
            text = "–" if value is None else f"{value:.4f}"
            bold = value is not None and round(value, 4) == best[domain]
            cells.append(f"[bold]{text}[/]" if bold else text)
        table.add_row(*map(escape, line.name), *cells)
    return table
