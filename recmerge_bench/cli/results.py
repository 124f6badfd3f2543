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
    from recmerge_bench.results.run_rows import rows

    rows_found = rows(out, registry(ctx), suite)
    if as_json:
        click.echo(json.dumps(rows_found, indent=1))
        return 0
    from tabulate import tabulate

    names = list(dict.fromkeys(name for row in rows_found for name in row["metrics"]))
    fields = ("suite", "track", "protocol", "backbone", "method", "variant", "seed", "domain")
    why = [] if all(row["status"] == "done" for row in rows_found) else ["reason"]
    lines = [
        [
            *(row[k] for k in (*fields, "status")),
            *(row["metrics"].get(n) for n in names),
            *(row[k] for k in why),
        ]
        for row in rows_found
    ]
    headers = [*fields, "status", *names, *why]
    click.echo(tabulate(lines, headers, floatfmt=".4f", missingval="–"))
    return 0
