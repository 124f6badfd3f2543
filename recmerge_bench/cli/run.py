"""``recmerge-bench run``."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import out_option, registry, seeds_of, suite_options
from recmerge_bench.interface.runs import Run
from recmerge_bench.interface.runs import run as run_suite


@click.command()
@suite_options
@out_option
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Cells at a time.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--executor",
    default=None,
    metavar="NAME",
    help="Where cells run, in the place of the suite's. [default: the suite's, else local]",
)
@click.option("--max-memory", metavar="SIZE", help="What cells may take together, such as 8GiB.")
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
    executor: str | None,
    max_memory: str | None,
    strict: bool,
    fail_fast: bool,
) -> int:
    """Run a suite and write its board; finished cells are not computed again."""
    done = run_suite(
        suite_name, out=out, plugins=registry(ctx), changes=changes, seeds=seeds_of(seeds),
        only=only, data_root=data_root, jobs=jobs, device=device, executor=executor,
        fail_fast=fail_fast, progress=True, max_memory=max_memory,
    )  # fmt: skip
    _show(done)
    return _code(done, strict)


def _show(done: Run) -> None:
    """The board, what is blocked, what failed, and the files."""
    from rich.console import Console

    from recmerge_bench.report.boards.show import print_board
    from recmerge_bench.results.files import load_records

    records = load_records(done.out / "records" / f"{done.suite}.json")
    print_board(records, Console(highlight=False), done.keys)
    for note in done.notes:
        click.echo(f"note: {note}")
    for missing in done.missing:
        click.echo(f"blocked: {missing}")
    for failure in done.failures:
        click.echo(f"failed: {failure.label}: {failure.error}")
        click.echo(f"  traceback in {failure.file}")
    for file in done.files:
        click.echo(f"wrote {_relative(file)}")


def _code(done: Run, strict: bool) -> int:
    bad_data = [f for f in done.failures if f.handled and f.kind == "data"]
    if bad_data:
        click.echo(f"error: {bad_data[0].error.partition(': ')[2]}", err=True)
        return 2
    return 1 if done.failures or (strict and done.missing) else 0


def _relative(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


__all__ = ["run"]
