"""``recmerge-bench results``: of a run, a row each; ranks of boards to a store and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recmerge_bench.cli.common import out_option, registry
from recmerge_bench.cli.tables import fitted
from recmerge_bench.names import MEAN

if TYPE_CHECKING:
    from recmerge_bench.interface.run_results import RunResults
    from recmerge_bench.results.run_rows import RunRow

#: How a row stands.
DONE, NOT_RUN = "done", "not run"

_boards = click.option(
    "--boards", type=click.Path(path_type=Path, file_okay=False), default=Path("leaderboards"),
    show_default=True, help="Folder with records/.",
)  # fmt: skip
_suites = click.option("--suite", "suites", multiple=True, metavar="NAME", help="These alone.")


@click.group(invoke_without_command=True)
@out_option
@click.option("--suite", default=None, metavar="NAME|FILE", help="Of one suite only.")
@click.option("--domains", is_flag=True, help="Each domain too, not their mean alone.")
@click.option("--all", "all_rows", is_flag=True, help="Rows that were not run too.")
@click.option("--json", "as_json", is_flag=True, help="Every row with all its keys.")
@click.pass_context
def results(
    ctx: click.Context, out: Path, suite: str | None, domains: bool, all_rows: bool, as_json: bool
) -> int:
    """Show results of a run, one line for each row and seed: means over its domains.

    `push`, `pull` and `lock` copy the ranks behind boards to a results store and back.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from recmerge_bench.interface.run_results import run_results

    made = run_results(out, suite, plugins=registry(ctx))
    for note in made.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(json.dumps([row.to_json() for row in made], indent=1))
        return 0
    shown = [row for row in made if domains or row.domain == MEAN]
    for row in _grouped(shown if all_rows else [r for r in shown if r.status != NOT_RUN], made):
        click.echo(row)
    if not all_rows and (left := sum(row.status == NOT_RUN for row in shown)):
        click.echo(f"{left} more not run: --all shows them")
    return 0


def _grouped(rows: Sequence[RunRow], made: RunResults) -> Iterator[str]:
    """A table for each suite, track and protocol; a reason under what is not done."""
    groups: dict[tuple[str, str, str], list[RunRow]] = {}
    for row in rows:
        key = (row.suite, row.identity.track, row.identity.protocol)
        groups.setdefault(key, []).append(row)
    for key, group in groups.items():
        named = [m for m in made.metrics if any(m in row.metrics for row in group)]
        headers = ["method", "seed", "domain", *named, "status"]
        lines = [[_name(r), r.identity.seed, None if r.domain == MEAN else r.domain,
                  *(_number(r.metrics.get(m)) for m in named),
                  None if r.status == DONE else f"{r.status}: {r.reason}"]
                 for r in group]  # fmt: skip
        yield f"{', '.join(key)}\n{fitted(headers, lines)}\n"


def _name(row: RunRow) -> str:
    identity = row.identity
    name = " ".join(filter(None, (identity.backbone, identity.method)))
    return f"{name} ({identity.variant})" if identity.variant else name


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


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
