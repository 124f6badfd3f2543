"""``recmerge-bench run``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from recmerge_bench.borders.executors import CheckedExecutor
from recmerge_bench.cli.common import choose, make_plan, out_option, registry, suite_options
from recmerge_bench.contracts import definition
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan
from recmerge_bench.registry import Registry
from recmerge_bench.running.scheduler import Outcome, Run, Todo, todo
from recmerge_bench.running.store import Store
from recmerge_bench.specs import DatasetSpec
from recmerge_bench.targets import define


@click.command()
@suite_options
@out_option
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Cells at a time.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--executor", default="local", show_default=True, metavar="NAME")
@click.option("--strict", is_flag=True, help="Exit with 1 if any cell is blocked.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.pass_context
def run(
    ctx: click.Context,
    suite_name: str,
    changes: tuple[str, ...],
    seeds: str | None,
    only: tuple[str, ...],
    data_root: Path | None,
    out: Path,
    jobs: int | None,
    device: str,
    executor: str,
    strict: bool,
    fail_fast: bool,
) -> int:
    """Run a suite: what is done already is not done again; write its board."""
    from recmerge_bench.running.estimate import measured

    console = Console(stderr=False, highlight=False)
    found = registry(ctx)
    whole = make_plan(found, suite_name, changes, seeds, data_root)
    if fetch_small(whole, found, data_root, console):
        whole = make_plan(found, suite_name, changes, seeds, data_root)
    plan, store = choose(whole, only), Store(out.resolve())
    store.sweep()
    start = todo(plan, store)
    for key, flaw in start.damaged.items():
        again = "computed again" if key in start.waiting else "it cannot be computed here"
        console.print(f"damaged: {plan.cells[key].label}: {flaw}; {again}", markup=False)
    plan = measured(plan, store) if start.waiting else plan
    outcome = Outcome(cached=start.done)
    if start.waiting:
        outcome = _execute(plan, store, found, console, start, jobs, device, executor, fail_fast)
    else:
        done = len(start.done & set(plan.goals))
        console.print(f"suite '{plan.suite}': all {done} results cached", markup=False)
    command = _command(suite_name, changes, seeds, ctx.find_root().obj["plugins"])
    return _finish(whole, store, found, outcome, console, strict, command)


def fetch_small(plan: Plan, found: Registry, data_root: Path | None, console: Console) -> bool:
    """Fetch missing raw files of datasets that say `run` may; whether anything came.

    What cannot be had leaves its cells blocked.
    """
    came = False
    named = [s for s in found.specs.values() if isinstance(s, DatasetSpec) and s.fetched_by_run]
    automatic = {spec.target: spec.name for spec in named}
    asked: list[dict[str, Any]] = []
    for cell in plan.cells.values():
        dataset = cell.job["config"].get("dataset", {}) if cell.kind == "data" else {}
        if not cell.blocked or dataset in asked or dataset.get("target") not in automatic:
            continue
        asked.append(dataset)
        console.print(f"fetching the raw files of {automatic[dataset['target']]}", markup=False)
        try:
            define(dataset["target"], dataset["options"]).fetch(data_root, None)
            came = True
        except HandledError as error:
            console.print(f"not fetched: {error}", markup=False)
    return came


def _execute(
    plan: Plan,
    store: Store,
    found: Registry,
    console: Console,
    start: Todo,
    jobs: int | None,
    device: str,
    executor: str,
    fail_fast: bool,
) -> Outcome:
    from recmerge_bench.cli.progress import Progress

    waiting, done = start.waiting, start.done & set(plan.goals)
    spec = found.get("executor", executor)
    runner = CheckedExecutor(definition(spec))
    threads = max(plan.cells[k].threads for k in waiting)
    runner.open(jobs, threads, store.out / "logs")
    slots = runner.free()
    cost = sum(plan.cells[k].cost for k in waiting) / slots
    console.print(
        f"suite '{plan.suite}': {len(waiting)} cells to do, {len(done)} results cached, "
        f"{slots} at a time with {threads} thread(s) each, about {cost / 60:.1f} min",
        markup=False,
    )
    try:
        with Progress(plan, waiting, len(done), slots, console) as progress:
            return Run(plan, store, runner, device, fail_fast, progress, start).go()
    finally:
        runner.close()


def _finish(
    plan: Plan,
    store: Store,
    found: Registry,
    outcome: Outcome,
    console: Console,
    strict: bool,
    command: str,
) -> int:
    from recmerge_bench.report.publishing.finish import write_board
    from recmerge_bench.running.manifest import write_manifest

    manifest = write_manifest(plan, store, outcome, command)
    files = write_board(store.out, plan.suite, found, console)
    blocked: dict[tuple[str, str], int] = {}
    for row in manifest["results"]:
        if row["status"] == "blocked":
            gap = (row["reason"], row["mend"])
            blocked[gap] = blocked.get(gap, 0) + 1
    for (reason, mend), count in blocked.items():
        console.print(f"blocked: {count} x {reason}; to mend: {mend}", markup=False)
    for key, failure in outcome.failures.items():
        console.print(f"failed: {failure['label']}: {failure['error']}", markup=False)
        console.print(f"  traceback in {store.out / 'failures' / (key + '.json')}", markup=False)
    for file in files:
        console.print(f"wrote {_relative(file)}", markup=False)
    return _code(plan, outcome, strict and bool(blocked))


def _command(
    suite: str, changes: tuple[str, ...], seeds: str | None, plugins: tuple[str, ...]
) -> str:
    """The command that gives this board, wherever its results are put."""
    words = ["recmerge-bench", *(w for p in plugins for w in ("-p", p)), "run", "--suite", suite]
    words += [w for change in changes for w in ("--set", change)]
    return shlex.join([*words, *(("--seeds", seeds) if seeds else ())])


def _code(plan: Plan, outcome: Outcome, strict: bool) -> int:
    bad_data = [
        f for k, f in outcome.failures.items() if f.get("handled") and plan.cells[k].kind == "data"
    ]
    if bad_data:
        click.echo(f"error: {bad_data[0]['error'].partition(': ')[2]}", err=True)
        return 2
    return 1 if outcome.failures or strict else 0


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


__all__ = ["run"]
