"""``recmerge-bench results``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from recmerge_bench.cli.common import out_option, registry


@click.command()
@out_option
@click.option("--suite", default=None, metavar="NAME", help="Of one suite only.")
@click.option("--json", "as_json", is_flag=True, help="Every row with all its keys.")
@click.pass_context
def results(ctx: click.Context, out: Path, suite: str | None, as_json: bool) -> int:
    """Show results: a row for each domain and one for their mean."""
    from recmerge_bench.interface.run_results import run_results

    made = run_results(out, suite, plugins=registry(ctx))
    click.echo(json.dumps([row.to_json() for row in made], indent=1) if as_json else str(made))
    return 0
