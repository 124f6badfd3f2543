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
    """Print a board that was run: ranked, a line a method. Runs nothing.

    SUITE is one that was run into --out; a FILE of records (leaderboards/records/NAME.json) does
    as well.
    """
    from rich.console import Console

    from recmerge_bench.interface.shown import board_records
    from recmerge_bench.report.boards.show import print_board

    records, keys = board_records(suite, out, tracks, plugins=registry(ctx))
    print_board(records, Console(highlight=False), keys)
    return 0
