"""``recmerge-bench plugins``."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.specs import KINDS


@click.group()
def plugins() -> None:
    """Show what is registered."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Every spec with all it says.")
@click.pass_context
def list_plugins(ctx: click.Context, as_json: bool) -> int:
    """Show every dataset, model, strategy, protocol, metric and executor, and who registers it."""
    found = registry(ctx)
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        for name in found.names(kind):
            spec = found.get(kind, name)
            plugin = found.plugin_of(spec)
            facts = {"kind": kind, **dataclasses.asdict(spec)}
            rows.append({**facts, "plugin": plugin.name, "origin": plugin.origin,
                         "version": plugin.version})  # fmt: skip
    if as_json:
        click.echo(json.dumps({"plugins": rows, "problems": found.problems}, indent=1))
        return 0
    from tabulate import tabulate

    fields = ("kind", "name", "summary", "tier", "fidelity", "origin")
    table = [[r.get(k, "") for k in fields] for r in rows]
    click.echo(tabulate(table, fields))
    return 0
