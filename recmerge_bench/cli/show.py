"""``recmerge-bench show``."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import out_option, registry


@click.command()
@click.argument("suite", metavar="SUITE|FILE")
@out_option
@click.option("--track", "tracks", multiple=True, metavar="NAME", help="Of these tracks only.")
@click.pass_context
def show(ctx: click.Context, suite: str, out: Path, tracks: tuple[str, ...]) -> int:
    """Print a board: ranked, a line a method. Runs nothing.

    SUITE is one that was run into --out, by its name or its file, else the published board of that
    name in ./leaderboards; a FILE of records (leaderboards/records/NAME.json) does as well.
    """
    from click.core import ParameterSource
    from rich.console import Console

    from recmerge_bench.interface.shown import board_records
    from recmerge_bench.report.boards.show import print_board

    named = ctx.get_parameter_source("out") is not ParameterSource.DEFAULT
    also = None if named else Path("leaderboards")
    records = board_records(suite, out, tracks, plugins=registry(ctx), also=also)
    print_board(records, Console(highlight=False), tracks=tracks)
    return 0
