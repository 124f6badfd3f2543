"""``recmerge-bench plan``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import out_option, registry, seeds_of, suite_options
from recmerge_bench.cli.tables import fitted
from recmerge_bench.durations import duration
from recmerge_bench.interface.plans import Plan, PlannedCell, Status
from recmerge_bench.interface.plans import plan as make_plan

#: Lines by the thousand: printed as they are, since laying them out took longer than the plan.
COLOURS: dict[Status, str] = {"done": "green", "to do": "yellow", "blocked": "red"}
#: What an estimate rests on, in words.
RESTS = {
    "store": "measured in this store", "board": "measured on published boards", "guess": "guessed",
}  # fmt: skip


@click.command()
@suite_options
@out_option
@click.option("--cells", "all_cells", is_flag=True, help="Every cell, a line each.")
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
    all_cells: bool,
    as_json: bool,
) -> int:
    """Show what of a suite is done, to do, or blocked and how to fix it; start nothing."""
    made = make_plan(
        suite_name, out=out, plugins=registry(ctx), changes=changes, seeds=seeds_of(seeds),
        only=only, data_root=data_root,
    )  # fmt: skip
    if as_json:
        cells = [_as_json(cell) for cell in made.cells]
        click.echo(json.dumps({"suite": made.suite, "cells": cells}, indent=1))
    else:
        _show(made, all_cells)
    return 0


def _as_json(cell: PlannedCell) -> dict[str, Any]:
    values = asdict(cell)
    return {"mend" if k == "remedy" else k: v for k, v in values.items()}


def _show(made: Plan, all_cells: bool) -> None:
    """What is blocked and how to fix it; the tracks, or every cell; the sum."""
    click.echo(f"suite {made.suite}: {_counts(made)}")
    for missing in made.missing:
        click.echo(f"{click.style('blocked', fg=COLOURS['blocked'])}: {missing}")
    click.echo("\n".join(_tree(made)) if all_cells else f"\n{_tracks(made)}\n")
    click.echo(_cost(made))
    if not all_cells:
        click.echo("--cells lists every cell")


def _cost(made: Plan) -> str:
    if made.count("to do"):
        parts = [
            f"{RESTS[basis]}: {cells} cells, {duration(seconds)}"
            for basis, (cells, seconds) in made.bases.items()
        ]
        return f"to do: about {duration(made.seconds)} of one worker\n({'; '.join(parts)})"
    blocked = made.count("blocked")
    return "nothing can run before what blocks it is fixed" if blocked else "nothing is left to do"


def _counts(made: Plan) -> str:
    states = {state: made.count(state) for state in COLOURS}
    return f"{len(made.cells)} cells, " + ", ".join(f"{n} {s}" for s, n in states.items() if n)


def _tracks(made: Plan) -> str:
    """A line for each track: its results by how they stand, and its time by itself."""
    headers = ["track", "results", *COLOURS, "by itself"]
    rows = [
        [t.name, t.done + t.to_do + t.blocked, t.done or None, t.to_do or None,
         t.blocked or None, duration(t.seconds) if t.seconds else None]
        for t in made.tracks
    ]  # fmt: skip
    return fitted(headers, rows)


def _tree(made: Plan) -> Iterator[str]:
    """Kinds of cells, their cells with keys."""
    for kind in made.kinds:
        last = kind == made.kinds[-1]
        yield f"{'└' if last else '├'}── {kind}: {made.states(kind)}"
        leaves = [_leaf(c) for c in made.cells if c.kind == kind]
        stem = "    " if last else "│   "
        yield from (f"{stem}├── {leaf}" for leaf in leaves[:-1])
        yield f"{stem}└── {leaves[-1]}"


def _leaf(cell: PlannedCell) -> str:
    state = click.style(cell.status, fg=COLOURS[cell.status])
    cost = f", about {cell.seconds:.0f} s" if cell.status == "to do" else ""
    if cell.status == "to do" and cell.reason:
        cost = f": {cell.reason}"
    return f"{state} {cell.key[:8]} {cell.label}{cost}"
