"""``recmerge-bench results``: of a run, a row each; ranks of boards to a store and back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from recmerge_bench.cli.common import out_option, registry

_boards = click.option(
    "--boards", type=click.Path(path_type=Path, file_okay=False), default=Path("leaderboards"),
    show_default=True, help="Folder with records/.",
)  # fmt: skip
_suites = click.option("--suite", "suites", multiple=True, metavar="NAME", help="These alone.")


@click.group(invoke_without_command=True)
@out_option
@click.option("--suite", default=None, metavar="NAME", help="Of one suite only.")
@click.option("--json", "as_json", is_flag=True, help="Every row with all its keys.")
@click.pass_context
def results(ctx: click.Context, out: Path, suite: str | None, as_json: bool) -> int:
    """Show results of a run: a row for each domain and one for their mean.

    With `push`, `pull` and `lock`: the ranks behind boards, to a results store and back.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from recmerge_bench.interface.run_results import run_results

    made = run_results(out, suite, plugins=registry(ctx))
    click.echo(json.dumps([row.to_json() for row in made], indent=1) if as_json else str(made))
    return 0


@results.command()
@_boards
@_suites
@click.option(
    "--to", "address", default=None, metavar="ADDRESS", help="s3://..., gs://..., a folder."
)
@click.option("--move", is_flag=True, help="Then take the copies beside the records away.")
def push(boards: Path, suites: tuple[str, ...], address: str | None, move: bool) -> int:
    """Send ranks of boards to a results store.

    The store is --to, else the variable RECMERGE_BENCH_RESULTS, else the one that
    BOARDS/records/ranks.lock.json names. The lock is written with each file's hash.
    """
    from recmerge_bench.results.rank_store import push as push_ranks

    for file in push_ranks(boards / "records", suites, address, move):
        what = "sent" if file.new else "was there"
        click.echo(f"{file.name}: {file.bytes / 1e6:.2f} MB, {what}: {file.where}")
    return 0


@results.command()
@_boards
@_suites
@click.option("--from", "address", default=None, metavar="ADDRESS", help="Another store.")
@click.option("--beside", is_flag=True, help="Lay them beside the records too.")
def pull(boards: Path, suites: tuple[str, ...], address: str | None, beside: bool) -> int:
    """Bring ranks that BOARDS/records/ranks.lock.json names to this machine, each hash checked.

    They go to the user's cache, where every command finds them.
    """
    from recmerge_bench.results.rank_store import pull as pull_ranks

    for file in pull_ranks(boards / "records", suites, address, beside):
        click.echo(f"{file.name}: {file.bytes / 1e6:.2f} MB: {file.where}")
    return 0


@results.command()
@_boards
@_suites
def lock(boards: Path, suites: tuple[str, ...]) -> int:
    """Write down the hashes of the ranks beside records (BOARDS/records/ranks.lock.json)."""
    from recmerge_bench.results.rank_lock import lock_path
    from recmerge_bench.results.rank_store import lock_ranks

    made = lock_ranks(boards / "records", suites)
    click.echo(f"wrote {lock_path(boards / 'records')}: {len(made.files)} file(s)")
    return 0
