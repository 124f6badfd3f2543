"""``recmerge-bench plan``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import choose, make_plan, out_option, registry, suite_options
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.planning.stages import STAGES
from recmerge_bench.running.store import Store


@click.command()
@suite_options
@out_option
@click.option("--json", "as_json", is_flag=True, help="Every cell as JSON.")
@click.pass_context
def plan(
    ctx: click.Context,
    suite_name: str,
    changes: tuple[str, ...],
    seeds: str | None,
    only: str | None,
    data_root: Path | None,
    out: Path,
    as_json: bool,
) -> int:
    """Show a suite's cells: done, to do, or blocked and how to mend it; starts nothing."""
    from recmerge_bench.running.estimate import measured

    made = choose(make_plan(registry(ctx), suite_name, changes, seeds, data_root), only)
    store = Store(out.resolve())
    made = measured(made, store)
    cells = [describe(cell, store) for cell in made.cells.values()]
    if as_json:
        click.echo(json.dumps({"suite": made.suite, "cells": cells}, indent=1))
    else:
        show(made, cells)
    return 0


def describe(cell: Cell, store: Store) -> dict[str, Any]:
    """A cell as ``plan --json`` tells it."""
    status = "blocked" if cell.blocked else "done" if store.intact(cell.key) else "to do"
    reason, mend = cell.blocked or ("", "")
    return {
        "key": cell.key,
        "kind": cell.kind,
        "label": cell.label,
        "inputs": dict(cell.inputs),
        "seed": cell.seed,
        "status": status,
        "reason": reason,
        "mend": mend,
        "seconds": round(cell.cost, 1),
    }


def show(made: Plan, cells: list[dict[str, Any]]) -> None:
    """The tree: kinds, their cells with keys, gaps once each, the sum."""
    from rich.console import Console
    from rich.markup import escape
    from rich.tree import Tree

    colours = {"done": "green", "to do": "yellow", "blocked": "red"}
    tree = Tree(f"suite {made.suite}")
    for kind in STAGES:
        mine = [c for c in cells if c["kind"] == kind]
        if not mine:
            continue
        counts = ", ".join(
            f"{n} {s}" for s in colours if (n := sum(c["status"] == s for c in mine))
        )
        branch = tree.add(f"{kind}: {counts}")
        for c in mine:
            colour = colours[c["status"]]
            cost = f", about {c['seconds']:.0f} s" if c["status"] == "to do" else ""
            branch.add(f"[{colour}]{c['status']}[/] {c['key'][:8]} {escape(c['label'])}{cost}")
    console = Console(highlight=False)
    console.print(tree)
    gaps: dict[tuple[str, str], int] = {}
    for c in cells:
        if c["status"] == "blocked":
            gaps[c["reason"], c["mend"]] = gaps.get((c["reason"], c["mend"]), 0) + 1
    for (reason, mend), count in gaps.items():
        console.print(f"blocked: {count} x {reason}; to mend: {mend}", markup=False)
    left = sum(c["seconds"] for c in cells if c["status"] == "to do")
    console.print(f"to do: about {left / 60:.1f} min of one worker", markup=False)
