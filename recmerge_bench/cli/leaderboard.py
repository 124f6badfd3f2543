"""``recmerge-bench leaderboard``: build boards, compare records."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.errors import HandledError

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def leaderboard() -> None:
    """Build boards from records, and compare records."""


@leaderboard.command()
@click.option(
    "--out", type=FOLDER, default=None, help="A run's folder: its records are taken over."
)
@click.option("--records", type=FOLDER, default=None, help="Committed records: render them again.")
@click.option("--suite", default=None, metavar="NAME", help="Of one suite only.")
@click.option("--to", type=FOLDER, default=Path("leaderboards"), show_default=True)
@click.pass_context
def build(
    ctx: click.Context, out: Path | None, records: Path | None, suite: str | None, to: Path
) -> int:
    """Write <suite>.md and <suite>-cost.md, and with --out the records they are made from."""
    from recmerge_bench.boards import finish

    if (out is None) == (records is None):
        raise HandledError(
            "leaderboard build takes --out DIR (a run) or --records DIR, one of them"
        )
    if out is not None:
        files = finish.build(out, to, to / "records", registry(ctx), suite)
    else:
        assert records is not None
        names = [p.stem for p in _records(records, suite)]
        files = [f for name in names for f in finish.render_suite(records, name, to)]
    for file in files:
        click.echo(f"wrote {file}")
    return 0


@leaderboard.command()
@click.option("--records", type=FOLDER, default=Path("leaderboards/records"), show_default=True)
@click.option("--suite", default=None, metavar="NAME", help="Of one suite only.")
@click.option("--to", type=FOLDER, default=Path("leaderboards/figures"), show_default=True)
def figures(records: Path, suite: str | None, to: Path) -> int:
    """Draw the figures that suites declare (SVG), with their data (CSV), from records alone."""
    from recmerge_bench.boards.curves import curves_path, load_curves
    from recmerge_bench.boards.draw import write_figure
    from recmerge_bench.boards.figures import figures as figures_of
    from recmerge_bench.boards.records import load_records

    for path in _records(records, suite):
        for data in figures_of(load_records(path), load_curves(curves_path(path))):
            for file in write_figure(data, to, path.stem):
                click.echo(f"wrote {file}")
    return 0


@leaderboard.command()
@click.option("--records", type=FOLDER, default=Path("leaderboards/records"), show_default=True)
@click.option("--to", type=FOLDER, default=Path("leaderboards/site"), show_default=True)
@click.pass_context
def site(ctx: click.Context, records: Path, to: Path) -> int:
    """Write the static site of all suites, whole: it opens from disk (index.html)."""
    from recmerge_bench.site.load import load_suites
    from recmerge_bench.site.pages import render_site
    from recmerge_bench.site.write import write_site

    pages = render_site(load_suites(records), registry(ctx))
    write_site(pages, to)
    click.echo(f"wrote {len(pages)} files, {sum(map(len, pages.values())) / 1e6:.2f} MB: {to}")
    return 0


@leaderboard.command()
@click.argument("folder", type=FOLDER, default=Path("leaderboards"))
@click.pass_context
def check(ctx: click.Context, folder: Path) -> int:
    """Make every board, figure and number of FOLDER again from its ranks; 1 if any differs."""
    from recmerge_bench.boards.check import check as wrong

    if not (folder / "records").is_dir():
        raise HandledError(f"{folder}: no folder of boards: it has no records/")
    lines = wrong(folder, registry(ctx))
    for line in lines:
        click.echo(line)
    click.echo(f"{len(lines)} thing(s) wrong in {folder}")
    return 1 if lines else 0


def _records(folder: Path, suite: str | None) -> list[Path]:
    """Records files of a folder, or of one suite.

    Raises:
        HandledError: none is there.
    """
    beside = (".cost.json", ".curves.json", ".groups.json", ".across.json")
    found = sorted(p for p in folder.glob("*.json") if not p.name.endswith(beside))
    chosen = [p for p in found if suite in (None, p.stem)]
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
def compare(before: Path, after: Path, tolerance: float, relative: float) -> int:
    """Tell what differs between two records files; exit with 1 if anything does."""
    from recmerge_bench.boards.compare import compare as differences
    from recmerge_bench.boards.records import load_records

    lines = differences(load_records(before), load_records(after), tolerance, relative)
    for line in lines:
        click.echo(line)
    share = f" or {relative:g} of the value" if relative else ""
    click.echo(f"{len(lines)} difference(s) beyond {tolerance}{share}")
    return 1 if lines else 0
