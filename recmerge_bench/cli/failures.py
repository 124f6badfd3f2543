"""``recmerge-bench failures``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from recmerge_bench.cli.common import out_option
from recmerge_bench.cli.tables import facts, fitted
from recmerge_bench.interface.failures import FailedCell, failed_cell, failed_cells


@click.command()
@click.argument("key", required=False)
@out_option
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")
def failures(key: str | None, out: Path, as_json: bool) -> int:
    """Show the cells of a run that failed, a line each; with a KEY, the whole traceback.

    KEY is the beginning of a cell's key, or a part of its label. Of a cell whose process was
    killed (time limit, memory), the last lines that it printed stand in the traceback's place.
    Failed cells are tried again by the next run that needs them; those that are done since are not
    shown.
    """
    cells = failed_cells(out) if key is None else (failed_cell(key, out),)
    if as_json:
        plain = [cell.to_json() for cell in cells]
        click.echo(json.dumps(plain if key is None else plain[0], indent=1))
    elif key is not None:
        _show(cells[0])
    elif cells:
        rows = [[c.key[:8], c.when, c.label, f"{c.error} ({c.cause})"] for c in cells]
        click.echo(fitted(["key", "failed (UTC)", "cell", "error"], rows))
        click.echo(f"tracebacks: recmerge-bench failures KEY --out {out}")
    else:
        click.echo(f"no cell of {out} has failed (or each is done since)")
    return 0


def _show(cell: FailedCell) -> None:
    for line in facts(
        ("cell", cell.label), ("key", cell.key), ("failed", f"{cell.when} UTC"),
        ("cause", cell.cause), ("error", cell.error), ("file", str(cell.file)),
    ):  # fmt: skip
        click.echo(line)
    click.echo(f"\n{cell.traceback.rstrip() or '(no traceback was left)'}")
