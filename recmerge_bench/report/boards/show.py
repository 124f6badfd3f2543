"""The board on screen: one line a method, ranked in bands, intervals as thin bars."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recmerge_bench.identity import Place, Row
from recmerge_bench.names import MEAN
from recmerge_bench.report.boards import lists
from recmerge_bench.report.boards.elements import percent
from recmerge_bench.report.boards.gates import gate_notes
from recmerge_bench.report.boards.ranking import BANDS, Ranked, ranked
from recmerge_bench.report.boards.shares import MEAN_OF_RATIOS, experts, shares
from recmerge_bench.report.boards.table import Line, names_of, tables
from recmerge_bench.report.boards.verdicts import compared_rows, comparison_of, verdict_text
from recmerge_bench.results.compared import ComparedRow
from recmerge_bench.results.header import Header
from recmerge_bench.results.records import Records
from recmerge_bench.statistics.verdicts import NONE

#: Characters of a bar.
BAR = 13
#: A terminal as wide as this shows the domains' values too.
WIDE = 110
#: Rows that are not done are named up to this many, then counted.
FEW = 5


def print_board(
    records: Records,
    console: Console,
    asked: Set[str] | None = None,
    tracks: Collection[str] = (),
) -> None:
    """A table for each track and protocol: the primary metric's mean over the domains.

    Args:
        records: of a suite.
        console: to print on; a wide one shows the domains too.
        asked: keys of results that a run was asked for: tables with none of them are left out, and
            no other result is missing. None: all.
        tracks: those that are printed; none: all.
    """
    wanted = {
        result.identity.place for result in records.results if asked is None or result.key in asked
    }
    for place, lines in tables(records).items():
        if place in wanted and (not tracks or place.track in tracks):
            _print_table(records, place, lines, console)
            _print_missing(records, place, console, asked)


def _print_table(records: Records, place: Place, lines: list[Line], console: Console) -> None:
    header = records.header
    order = ranked(lines, header.primary)
    if not order:
        return
    domains = order[0].line.domains
    title = f"{place.track}, {place.protocol}: {header.primary}, "
    title += ("mean of " if len(domains) > 1 else "") + ", ".join(domains)
    if header.label == "smoke":
        title += " (smoke board, no verdicts)"
    console.print()
    console.print(f"[bold]{escape(title)}[/]")
    for text in gate_notes(records, place):
        console.print(text, markup=False)
    view = _View.of(records, place, lines, wide=console.width >= WIDE)
    console.print(_table(view, order))
    if view.bars:
        console.print(view.legend(), markup=False, style="dim")
    for reason in view.reasons():
        console.print(reason, markup=False, style="dim")
    done = [row.line for row in order]
    if header.names_of_lists and any((MEAN, n) in x.values for n in header.names_of_lists
                                     for x in done):  # fmt: skip
        console.print(_lists(header, done, view.named))
    for text in lists.missing(done):
        console.print(text, markup=False)


@dataclass(frozen=True)
class _View:
    """What the columns of a table need to know of all its rows.

    Attributes:
        header: of the records.
        domains: that have columns of their own.
        own: backbone -> the line that shares are of.
        compared: row -> its comparison; None for a baseline.
        named: a row's name, with its backbone where that tells it from others.
        bars: what draws the interval of a difference; None where nothing has one.
        baselines: names of what differences are from.
        half: the largest distance from zero that a bar shows.
    """

    header: Header
    domains: Sequence[str]
    own: dict[str, Line]
    compared: dict[Row, ComparedRow | None]
    named: Callable[[Line], str]
    bars: Callable[[ComparedRow], str] | None
    baselines: Sequence[str]
    half: float

    @classmethod
    def of(cls, records: Records, place: Place, lines: list[Line], wide: bool) -> _View:
        families = comparison_of(records, place)
        compared = compared_rows(families)
        names = names_of(lines)
        bases = [names.get(f.baseline.row, ("", f.baseline.method)) for f in families]
        half = _half([_reach(row) for row in compared.values() if row])
        done = [x for x in lines if x.values]
        return cls(
            records.header,
            lines[0].domains if wide and len(lines[0].domains) > 1 else (),
            experts(done, records.header.tracks[place.track].reference),
            compared,
            _namer(done, short=not wide),
            (lambda row: _bar(row, half)) if half else None,
            list(dict.fromkeys(method for _, method in bases)),
            half,
        )

    def reasons(self) -> list[str]:
        """Why rows have no verdict, each reason once; the column has no room for it."""
        texts = (verdict_text(row) for row in self.compared.values()
                 if row and row.about_methods.verdict == NONE)  # fmt: skip
        return [text for text in dict.fromkeys(texts) if text != NONE]

    def legend(self) -> str:
        """What bars and verdicts are about."""
        return (
            f"Difference from {' or '.join(self.baselines)}: ● with its interval, "
            f"│ zero, ends at ±{self.half:.4f}, ◂ ▸ beyond; verdicts are about methods, for all "
            "rows together"
        )


def _reach(row: ComparedRow) -> float:
    judged = row.about_methods
    return max(abs(judged.lower or 0.0), abs(judged.upper or 0.0))


def _half(reaches: Sequence[float]) -> float:
    """How far bars go from zero: far enough for three of four rows and half as much again.

    A row that is far from all others would leave no room to tell these apart; its bar ends in an
    arrow.
    """
    if not reaches:
        return 0.0
    return min(max(reaches), 1.5 * sorted(reaches)[3 * (len(reaches) - 1) // 4])


def _bar(row: ComparedRow, half: float) -> str:
    """An interval around zero in `BAR` characters."""
    judged = row.about_methods
    if judged.lower is None or judged.upper is None:
        return ""

    def at(value: float) -> int:
        return min(BAR - 1, max(0, round((value / half + 1) / 2 * (BAR - 1))))

    cells = [" "] * BAR
    cells[at(0.0)] = "│"
    for place in range(at(judged.lower), at(judged.upper) + 1):
        cells[place] = "┼" if cells[place] == "│" else "─"
    cells[at(row.difference)] = "●"
    if judged.lower < -half:
        cells[0] = "◂"
    if judged.upper > half:
        cells[-1] = "▸"
    return "".join(cells)


def _namer(lines: Sequence[Line], short: bool = False) -> Callable[[Line], str]:
    """Methods; their backbones too where there are several; these alone where all methods agree.

    Short names say ``paper`` for ``paper recipe``, so that a line holds them.
    """
    trained = [x for x in lines if x.identity.backbone]
    backbones = {x.identity.backbone for x in trained}
    methods = {x.name[1] for x in trained}

    def name(line: Line) -> str:
        backbone, method = line.name
        method = method.replace(" recipe)", ")") if short else method
        if not line.identity.backbone or len(backbones) < 2:
            return method
        return backbone if len(methods) == 1 else f"{backbone} {method}"

    return name


def _table(view: _View, order: Sequence[Ranked]) -> Table:
    metric = view.header.primary
    columns: list[tuple[str, Callable[[Ranked], str]]] = [
        ("mean", lambda row: _value(row.line, MEAN, metric)),
        *((d, lambda row, d=d: _value(row.line, d, metric)) for d in view.domains),
    ]
    if any(_share(view, row.line) for row in order):
        columns.append(("÷ expert", lambda row: _share(view, row.line)))
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("", justify="right")
    table.add_column("method", overflow="fold")
    for name, _ in columns:
        table.add_column(escape(name), justify="right", no_wrap=True)
    if view.bars:
        table.add_column("difference", no_wrap=True, min_width=BAR)
    if view.compared:
        table.add_column("verdict")
    for band in BANDS:
        rows = [row for row in order if row.band == band]
        if rows:
            table.add_row("", f"[dim]{band}[/]")
        for row in rows:
            texts = [cell(row) for _, cell in columns]
            if row.rank == 1:
                texts[0] = f"[bold]{texts[0]}[/]"
            table.add_row(
                str(row.rank), escape(view.named(row.line)), *texts, *_judged(view, row.line)
            )
    return table


def _value(line: Line, domain: str, metric: str) -> str:
    value = line.mean(domain, metric)
    return "–" if value is None else f"{value:.4f}"


def _share(view: _View, line: Line) -> str:
    own = view.own.get(line.identity.backbone)
    if own is None or own is line:
        return ""
    ratios = shares(line, own, view.header.primary).get(MEAN_OF_RATIOS, {})
    return percent(list(ratios.values()), spread=False)


def _judged(view: _View, line: Line) -> list[str]:
    """Bar and verdict, where the table has these columns."""
    if not view.compared:
        return []
    name = line.identity.row
    row = view.compared.get(name)
    bar = [view.bars(row) if row else ""] if view.bars else []
    if row is None:
        return [*bar, "baseline" if name in view.compared else ""]
    return [*bar, escape(verdict_text(row) if row.about_methods.verdict != NONE else NONE)]


def _lists(header: Header, lines: Sequence[Line], named: Callable[[Line], str]) -> Table:
    """Metrics of the first items, means over the domains."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("first items of the rankings", overflow="fold")
    for name in header.names_of_lists:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for line in lines:
        table.add_row(escape(named(line)), *(_value(line, MEAN, n) for n in header.names_of_lists))
    return table


def _print_missing(
    records: Records, place: Place, console: Console, asked: Set[str] | None
) -> None:
    """Of one table's results that were asked for, how many are not done, and of which rows."""
    missing = [
        result.identity
        for result in records.results
        if result.identity.place == place and not result.done
        and (asked is None or result.key in asked)
    ]  # fmt: skip
    if missing:
        rows = dict.fromkeys(" ".join(filter(None, (i.backbone, i.method))) for i in missing)
        named = f": {', '.join(rows)}" if len(rows) <= FEW else f" in {len(rows)} rows"
        console.print(
            f"{place.track}, {place.protocol}: {len(missing)} result(s) missing{named}",
            markup=False,
        )
