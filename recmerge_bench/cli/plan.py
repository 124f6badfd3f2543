"""``recmerge-bench plan``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import out_option, registry, seeds_of, suite_options
from recmerge_bench.interface.plans import Plan, PlannedCell
from recmerge_bench.interface.plans import plan as make_plan

#: Lines by the thousand: printed as they are, since laying them out took longer than the plan.
COLOURS = {"done": "green", "to do": "yellow", "blocked": "red"}


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
    """Show a suite's cells: done, to do, or blocked and how to fix it; starts nothing."""
    made = make_plan(
        suite_name, out=out, plugins=registry(ctx), changes=changes, seeds=seeds_of(seeds),
        only=only, data_root=data_root,
    )  # fmt: skip
    if as_json:
        cells = [_as_json(cell) for cell in made.cells]
        click.echo(json.dumps({"suite": made.suite, "cells": cells}, indent=1))
    else:
        _show(made)
    return 0


def _as_json(cell: PlannedCell) -> dict[str, Any]:
    values = asdict(cell)
    return {"mend" if k == "remedy" else k: v for k, v in values.items()}


def _show(made: Plan) -> None:
    """The tree: kinds, their cells with keys, what is missing once each, the sum."""
    lines = [f"suite {made.suite}"]
    for kind in made.kinds:
        last = kind == made.kinds[-1]
        lines.append(f"{'└' if last else '├'}── {kind}: {made.states(kind)}")
        leaves = [_leaf(c) for c in made.cells if c.kind == kind]
        stem = "    " if last else "│   "
        lines += [f"{stem}├── {leaf}" for leaf in leaves[:-1]] + [f"{stem}└── {leaves[-1]}"]
    click.echo("\n".join(lines))
    for missing in made.missing:
        click.echo(f"blocked: {missing}")
    click.echo(f"to do: about {made.seconds / 60:.1f} min of one worker")


def _leaf(cell: PlannedCell) -> str:
    state = click.style(cell.status, fg=COLOURS[cell.status])
    cost = f", about {cell.seconds:.0f} s" if cell.status == "to do" else ""
    if cell.status == "to do" and cell.reason:
        cost = f": {cell.reason}"
    return f"{state} {cell.key[:8]} {cell.label}{cost}"
