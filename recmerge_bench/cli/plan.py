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
    only: tuple[str, ...],
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


#: Lines by the thousand: printed as they are, since laying them out took longer than the plan.
COLOURS = {"done": "green", "to do": "yellow", "blocked": "red"}


def show(made: Plan, cells: list[dict[str, Any]]) -> None:
    """The tree: kinds, their cells with keys, gaps once each, the sum."""
    kinds = [kind for kind in STAGES if any(c["kind"] == kind for c in cells)]
    lines = [f"suite {made.suite}"]
    for kind in kinds:
        last = kind == kinds[-1]
        lines.append(f"{'└' if last else '├'}── {_branch(kind, cells)}")
        leaves = [_leaf(c) for c in cells if c["kind"] == kind]
        stem = "    " if last else "│   "
        lines += [f"{stem}├── {leaf}" for leaf in leaves[:-1]] + [f"{stem}└── {leaves[-1]}"]
    click.echo("\n".join(lines))
    gaps: dict[tuple[str, str], int] = {}
    for c in cells:
        if c["status"] == "blocked":
            gaps[c["reason"], c["mend"]] = gaps.get((c["reason"], c["mend"]), 0) + 1
    for (reason, mend), count in gaps.items():
        click.echo(f"blocked: {count} x {reason}; to mend: {mend}")
    left = sum(c["seconds"] for c in cells if c["status"] == "to do")
    click.echo(f"to do: about {left / 60:.1f} min of one worker")


def _branch(kind: str, cells: list[dict[str, Any]]) -> str:
    states = [c["status"] for c in cells if c["kind"] == kind]
    return f"{kind}: " + ", ".join(f"{states.count(s)} {s}" for s in COLOURS if s in states)


def _leaf(cell: dict[str, Any]) -> str:
    state = click.style(cell["status"], fg=COLOURS[cell["status"]])
    cost = f", about {cell['seconds']:.0f} s" if cell["status"] == "to do" else ""
    return f"{state} {cell['key'][:8]} {cell['label']}{cost}"
