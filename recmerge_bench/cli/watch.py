"""``recmerge-bench watch``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from recmerge_bench.cli.common import out_option


@click.command()
@out_option
@click.option("--once", is_flag=True, help="Show how it stands now, and end.")
@click.option("--json", "as_json", is_flag=True, help="As --once, everything as JSON.")
def watch(out: Path, once: bool, as_json: bool) -> int:
    """Show the runs that are at work in a folder: a page that lives as long as they do.

    What is blocked comes first; then how far each run is, and by what like cells took how long
    it needs; then each running cell with its loss, worker and memory. Cells of clusters are shown
    as those of this machine are. Call it where the run was started, with the same --out.
    """
    from rich.console import Console
    from rich.live import Live

    from recmerge_bench.interface.watching import live_runs, page

    states = live_runs(out)
    if as_json:
        click.echo(json.dumps(states, indent=1))
        return 0
    console = Console(highlight=False)
    if once or not states or not console.is_terminal:
        console.print(page(states))
        return 0
    with Live(page(states), console=console, refresh_per_second=2) as live:
        while states := live_runs(out):
            live.update(page(states))
            time.sleep(1.0)
    console.print("the runs have ended")
    return 0


__all__ = ["watch"]
