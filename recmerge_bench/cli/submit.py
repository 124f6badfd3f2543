"""``recmerge-bench submit``, and ``leaderboard add``, which takes what it packs."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import registry

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("records", type=click.Path(path_type=Path))
@click.option("--to", type=FOLDER, default=Path("."), show_default=True)
@click.option("--suite", default=None, metavar="NAME", help="Of a run with several suites.")
@click.option(
    "--only", multiple=True, metavar="KEY=VALUE,...", help="Rows of this identity; several add up."
)
@click.option("--board", default=None, metavar="NAME", help="The suite whose board it is for.")
@click.option("--contact", default="", help="Whom to ask; stands on the board.")
@click.option("--note", default="", help="A line that stands on the board.")
@click.pass_context
def submit(
    ctx: click.Context, records: Path, to: Path, suite: str | None, only: tuple[str, ...],
    board: str | None, contact: str, note: str,
) -> int:  # fmt: skip
    """Pack RECORDS, a run's folder or a records file, to be added to a leaderboard."""
    from recmerge_bench.submissions.submission import submit as packed

    path, manifest = packed(records, to, registry(ctx), suite, only, board, contact, note)
    click.echo(f"wrote {path}: {manifest.results} result(s) for the board of '{manifest.suite}'")
    return 0


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--to", type=FOLDER, default=Path("leaderboards"), show_default=True)
@click.option("--replace", is_flag=True, help="Rows that are there with other numbers, too.")
@click.option("--accept-flagged", is_flag=True, help="Rows that are hard to believe, too.")
@click.pass_context
def add(ctx: click.Context, bundle: Path, to: Path, replace: bool, accept_flagged: bool) -> int:
    """Check a submitted BUNDLE and add its results to the boards, whole or not at all."""
    from recmerge_bench.submissions.joining import join

    done = join(bundle, to, registry(ctx), replace, accept_flagged)
    for name in done.added:
        click.echo(f"added {name}")
    for name in done.replaced:
        click.echo(f"replaced {name}")
    for flag in done.flags:
        click.echo(f"flagged {flag}")
    for file in done.files:
        click.echo(f"wrote {file}")
    changed = len(done.added) + len(done.replaced)
    rest = f"; {done.present} already there" if done.present else ""
    click.echo(f"{changed} result(s) joined the board of '{done.suite}'{rest}")
    return 0
