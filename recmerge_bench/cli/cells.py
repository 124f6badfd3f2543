"""``recmerge-bench cells``."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import out_option, registry, seeds_of, suite_options
from recmerge_bench.errors import HandledError
from recmerge_bench.running.store import Store


@click.group()
def cells() -> None:
    """Carry cells to a machine without network, and back."""


@cells.command()
@click.argument("selector")
@click.option(
    "-o",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="JOB.tar",
)
@suite_options
@out_option
@click.pass_context
def pack(
    ctx: click.Context,
    selector: str,
    target: Path,
    suite_name: str,
    changes: tuple[str, ...],
    seeds: str | None,
    only: tuple[str, ...],
    data_root: Path | None,
    out: Path,
) -> int:
    """Pack the cells that SELECTOR chooses (kind=train, method=ties,seed=0, ...) with their needs.

    On the other machine (Python, numpy, torch, pyarrow, safetensors):

    \b
        for part in JOB*.tar; do tar xf $part; done
        python run.py --device cuda

    and back here: recmerge-bench cells adopt result*.tar
    """
    from recmerge_bench.interface.plans import chosen, planned
    from recmerge_bench.planning.select import select
    from recmerge_bench.running import transfer

    store = Store(out.resolve())
    cells = planned(
        suite_name, registry(ctx), changes, seeds_of(seeds), only, data_root, store=store
    )
    plan = chosen(cells, only)
    keys = select(plan, selector)
    if not keys:
        raise HandledError(f"{selector} matches no cell of '{plan.suite}'; `recmerge-bench plan`")
    for path in transfer.pack(plan, store, keys, target):
        click.echo(f"wrote {path} ({path.stat().st_size} bytes)")
    return 0


@cells.command()
@click.argument(
    "archives",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="RESULT.tar...",
)
@out_option
def adopt(archives: tuple[Path, ...], out: Path) -> int:
    """Take finished cells into the store, each file checked against its record."""
    from recmerge_bench.running import transfer

    done = transfer.adopt(archives, Store(out.resolve()))
    click.echo(f"{done.new} adopted, {done.present} present, {len(done.refused)} refused")
    for line in done.refused:
        click.echo(f"refused {line}", err=True)
    return 2 if done.refused else 0
