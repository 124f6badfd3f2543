"""``recmerge-bench leaderboard``: build, check, compare and export boards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from recmerge_bench.cli.common import OutFolder, registry
from recmerge_bench.cli.export import export
from recmerge_bench.cli.submit import add
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.registry import Registry

if TYPE_CHECKING:
    from recmerge_bench.results.records import Records

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)
#: How `check` ends where nothing is wrong and not all could be looked at.
UNCHECKED = 4


@click.group()
def leaderboard() -> None:
    """Build boards from records; check, compare and export them."""


leaderboard.add_command(add)


@leaderboard.command()
@click.option(
    "--out", type=OutFolder(), default=None, help="A run's folder: its records are taken over."
)
@click.option("--keep", is_flag=True, help="With --out: rows of the board that the run lacks stay.")
@click.option("--records", type=FOLDER, default=None, help="Committed records: render them again.")
@click.option("--from-ranks", is_flag=True, help="With --records: first make their numbers again.")
@click.option("--suite", default=None, metavar="NAME", help="Of one suite only.")
@click.option("--to", type=FOLDER, default=Path("leaderboards"), show_default=True)
@click.pass_context
def build(
    ctx: click.Context, out: Path | None, keep: bool, records: Path | None, from_ranks: bool,
    suite: str | None, to: Path,
) -> int:  # fmt: skip
    """Write a suite's boards.

    <suite>.md, -full.md, -cost.md and -cards.md, and with --out the records they are made from.
    A run's rows replace the board's; rows of the board that were not run there become "not run",
    or stay with --keep where the suite still asks for the same configuration.
    """
    from recmerge_bench.report.publishing import finish

    if (out is None) == (records is None):
        raise HandledError(
            "leaderboard build takes --out DIR (a run) or --records DIR, one of them"
        )
    if from_ranks and records is None:
        raise HandledError("--from-ranks goes with --records: a run's are made of its ranks")
    if keep and out is None:
        raise HandledError("--keep goes with --out: it keeps what the run lacks")
    if out is not None:
        files = finish.build(
            out, to, to / "records", registry(ctx), suite,
            lambda line: click.echo(f"note: {line}", err=True), keep,
        )  # fmt: skip
    else:
        assert records is not None
        files = _rendered(records, suite, to, registry(ctx) if from_ranks else None)
    for file in files:
        click.echo(f"wrote {file}")
    return 0


def _rendered(folder: Path, suite: str | None, to: Path, plugins: Registry | None) -> list[Path]:
    """Boards of committed records; with plugins, their numbers made again from the ranks first."""
    from recmerge_bench.report.publishing import finish

    names = [path.stem for path in _records(folder, suite)]
    derived = [f for name in names if plugins for f in finish.derive_suite(folder, name, plugins)]
    return [f for name in names for f in finish.render_suite(folder, name, to)] + derived


@leaderboard.command()
@click.option("--records", type=FOLDER, default=Path("leaderboards/records"), show_default=True)
@click.option("--suite", default=None, metavar="NAME", help="Of one suite only.")
@click.option("--to", type=FOLDER, default=Path("leaderboards/figures"), show_default=True)
def figures(records: Path, suite: str | None, to: Path) -> int:
    """Draw what suites declare, and quality against cost (SVG), with the data (CSV)."""
    from recmerge_bench.report.figures.declared import figures as figures_of
    from recmerge_bench.report.figures.draw import write_figure
    from recmerge_bench.report.figures.pareto import paretos
    from recmerge_bench.results.curves import curves_path, load_curves
    from recmerge_bench.results.files import cost_path, load_costs, load_records

    for path in _records(records, suite):
        suite_records = load_records(path)
        declared = figures_of(suite_records, load_curves(curves_path(path)))
        costs = paretos(suite_records, load_costs(cost_path(path)))
        files = [write_figure(data, to, path.stem) for data in declared]
        files += [write_figure(data, to, path.stem) for data in costs]
        for file in (f for pair in files for f in pair):
            click.echo(f"wrote {file}")
    return 0


@leaderboard.command()
@click.option("--records", type=FOLDER, default=Path("leaderboards/records"), show_default=True)
@click.option("--to", type=FOLDER, default=Path("leaderboards/site"), show_default=True)
@click.pass_context
def site(ctx: click.Context, records: Path, to: Path) -> int:
    """Write the static site of all suites, whole: it opens from disk (index.html)."""
    from recmerge_bench.report.site.load import load_beside, load_suites
    from recmerge_bench.report.site.pages import render_site
    from recmerge_bench.report.site.write import write_site

    pages = render_site(load_suites(records), registry(ctx), load_beside(records))
    write_site(pages, to)
    click.echo(f"wrote {len(pages)} files, {sum(map(len, pages.values())) / 1e6:.2f} MB: {to}")
    return 0


@leaderboard.command()
@click.argument("suite")
@click.option("--by", required=True, metavar="NAME", help="The suite whose board replaces it.")
@click.option("--why", default="", metavar="TEXT", help="A short reason; the board prints it.")
@click.option("--to", type=FOLDER, default=Path("leaderboards"), show_default=True)
def archive(suite: str, by: str, why: str, to: Path) -> int:
    """Move a board that another has replaced to TO/archive.

    Its records, boards and figures stay readable and checked there, marked as superseded and with a
    link to the new board. Write the site again afterwards (leaderboard site).
    """
    from recmerge_bench.report.publishing.archive import archive_suite

    for file in archive_suite(to, suite, by, why):
        click.echo(f"wrote {file}")
    return 0


@leaderboard.command()
@click.argument("folder", type=FOLDER, default=Path("leaderboards"))
@click.pass_context
def check(ctx: click.Context, folder: Path) -> int:
    """Make all of FOLDER again from its ranks.

    Every board, figure and number, and the papers' numbers from the reference data. Ranks that are
    not in FOLDER are fetched from the results store that its lock names. Ends with 1 if anything
    differs, with 4 if nothing does and ranks were not to be had, which is said of each board.
    """
    from recmerge_bench.report.publishing.check import checked

    if not (folder / "records").is_dir():
        raise HandledError(f"{folder}: no folder of boards: it has no records/")
    result = checked(folder, registry(ctx))
    for line in result.wrong:
        click.echo(line)
    for line in result.unchecked:
        click.echo(f"not checked: {line}")
    click.echo(f"{len(result.wrong)} thing(s) wrong in {folder}")
    if result.unchecked:
        click.echo(f"{len(result.unchecked)} board(s) not checked against their ranks")
    return 1 if result.wrong else UNCHECKED if result.unchecked else 0


def _records(folder: Path, suite: str | None) -> list[Path]:
    """Records files of a folder, or of one suite.

    Raises:
        HandledError: none is there.
    """
    from recmerge_bench.results.files import records_files

    chosen = [p for p in records_files(folder) if suite in (None, p.stem)]
    if not chosen:
        raise HandledError(f"{folder}: no records there{f' of {suite}' if suite else ''}")
    return chosen


@leaderboard.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Largest absolute difference of a metric that passes.",
)
@click.option(
    "--relative",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="The same as a share of BEFORE's value; the larger allowance counts.",
)
@click.pass_context
def compare(
    ctx: click.Context, before: Path, after: Path, tolerance: float, relative: float
) -> int:
    """What differs between records files.

    And whether it matters: where the ranks lie beside both files, each row that moved is tested,
    paired by user over the seeds in common; changes of order and of verdicts are told. Ends with 1
    if anything differs.
    """
    from recmerge_bench.report.boards.compare import compare as differences
    from recmerge_bench.report.boards.movement import notes
    from recmerge_bench.results.files import load_records

    records = load_records(before), load_records(after)
    lines = differences(*records, tolerance, relative)
    for line in lines:
        click.echo(line)
    for line in [*_tested(registry(ctx), records, [before, after]), *notes(*records)]:
        click.echo(f"note: {line}")
    share = f" or {relative:g} of the value" if relative else ""
    click.echo(f"{len(lines)} difference(s) beyond {tolerance}{share}")
    return 1 if lines else 0


def _tested(plugins: Registry, records: tuple[Records, Records], paths: list[Path]) -> list[str]:
    """Rows that moved, tested where the ranks of both files are to be had."""
    from recmerge_bench.report.boards.movement import movements
    from recmerge_bench.results.all_ranks import read_all_ranks
    from recmerge_bench.results.rank_files import NotAtHand, ranks_beside, ranks_file

    if records[0].results == records[1].results:
        return []
    files, lacking = [], []
    for path in paths:
        try:
            files.append(ranks_file(path))
        except NotAtHand as error:
            lacking.append(str(error))
        except DataError:
            raise
        except HandledError:
            lacking.append(f"no {ranks_beside(path)}")
    if lacking:
        return [f"not tested whether it matters: {' and '.join(lacking)}"]
    old, new = map(read_all_ranks, files)
    return [str(m) for m in movements(plugins, *records, old, new)]


leaderboard.add_command(export)
