"""``recmerge-bench plugins``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.cli.plugin_check import check
from recmerge_bench.cli.plugin_new import new
from recmerge_bench.cli.plugin_show import show
from recmerge_bench.cli.tables import fitted
from recmerge_bench.specs import KINDS

#: The distribution that plugins of ours come from.
OWN = "recmerge-bench"


@click.group()
def plugins() -> None:
    """List, show, check and create plugins."""


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
    for kind in KINDS:
        some = [row for row in rows if row["kind"] == kind]
        if some:
            click.echo(f"{kind} ({len(some)})\n{_table(some)}\n")
    click.echo("plugins show NAME has options, sources and what a name was checked against")
    return 0


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Plugins of one kind; where they come from is said of those that are not ours."""
    cells = [
        [
            f"{row['name']} (contested)" if row["contested"] else row["name"],
            row.get("tier"),
            row.get("fidelity"),
            row.get("summary"),
            None if row["origin"] == OWN else row["origin"],
        ]
        for row in rows
    ]
    return fitted(["name", "tier", "fidelity", "what", "from"], cells)
