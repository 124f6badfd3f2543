"""``recmerge-bench plugins``."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.cli.plugin_check import check
from recmerge_bench.cli.plugin_new import new
from recmerge_bench.cli.plugin_show import show
from recmerge_bench.specs import KINDS


@click.group()
def plugins() -> None:
    """Show, check and begin plugins."""


plugins.add_command(check)
plugins.add_command(new)
plugins.add_command(show)


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Every spec with all it says.")
@click.pass_context
def list_plugins(ctx: click.Context, as_json: bool) -> int:
    """Show every dataset, model, strategy, protocol, metric and executor, and who registers it."""
    discovered = registry(ctx)
    rows: list[dict[str, Any]] = []
    for spec, plugin in sorted(
        discovered.claims(), key=lambda c: (KINDS.index(c[0].kind), c[0].name)
    ):
        contested = (spec.kind, spec.name) in discovered.contested
        rows.append({"kind": spec.kind, **dataclasses.asdict(spec), "plugin": plugin.name,
                     "origin": plugin.origin, "version": plugin.version,
                     "contested": contested})  # fmt: skip
    if as_json:
        click.echo(json.dumps({"plugins": rows, "problems": discovered.problems}, indent=1))
        return 0
    from tabulate import tabulate

    fields = ("kind", "name", "summary", "tier", "fidelity", "checked against", "origin")
    for row in rows:
        row["checked against"] = "; ".join(c["against"] for c in row.get("checks", ()))
    shown = [{**r, "name": f"{r['name']} (contested)"} if r["contested"] else r for r in rows]
    table = [[r.get(k, "") for k in fields] for r in shown]
    click.echo(tabulate(table, fields))
    return 0
