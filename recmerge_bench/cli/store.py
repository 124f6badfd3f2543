"""``recmerge-bench store``: verify, du, gc."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import out_option
from recmerge_bench.cli.tables import fitted


@click.group()
def store() -> None:
    """Check the store of a run's folder, measure it, delete what nothing needs."""


@store.command()
@out_option
def verify(out: Path) -> int:
    """Read every byte of the store; ends with 1 and names each thing that is damaged.

    The next run that needs a damaged cell computes it again.
    """
    from recmerge_bench.interface.upkeep import verify as damaged

    count = 0
    for damage in damaged(out):
        click.echo(f"damaged: {damage}")
        count += 1
    click.echo(f"{count} thing(s) damaged in {out}")
    return 1 if count else 0


@store.command()
@out_option
def du(out: Path) -> int:
    """What cells take by kind, and how much of it no manifest needs."""
    from recmerge_bench.interface.upkeep import usage

    parts = usage(out)
    rows = [[u.kind, str(u.cells or "-"), _size(u.bytes), _size(u.unused)] for u in parts]
    total = [sum(getattr(u, name) for u in parts) for name in ("cells", "bytes", "unused")]
    rows.append(["all", str(total[0]), _size(total[1]), _size(total[2])])
    click.echo(fitted(["kind", "cells", "size", "not needed"], rows))
    return 0


@store.command()
@out_option
@click.option("--delete", is_flag=True, help="Take them away; without it they are listed alone.")
@click.option(
    "--older", type=click.FloatRange(min=0), default=1.0, show_default=True, metavar="DAYS",
    help="Cells finished later stay: a run at work has no manifest yet.",
)  # fmt: skip
def gc(out: Path, delete: bool, older: float) -> int:
    """Cells that no manifest (suites/*.json) needs.

    What is behind a row of any manifest stays, done or not, and so do trials of searches. No run
    may be at work on an address (s3://...) while its cells are taken away.
    """
    from recmerge_bench.interface.upkeep import DAY, collect

    cells = list(collect(out, delete=delete, older=older * DAY))
    rows = [[c.key[:12], c.kind, _size(c.bytes), c.label] for c in cells]
    if rows:
        click.echo(fitted(["key", "kind", "size", "cell"], rows))
    gone = [c for c in cells if c.removed]
    if delete:
        click.echo(f"{len(gone)} cell(s) taken away, {_size(sum(c.bytes for c in gone))}")
        if len(gone) < len(cells):
            click.echo(f"{len(cells) - len(gone)} stay: a run is at work on them")
    else:
        size = _size(sum(c.bytes for c in cells))
        click.echo(f"{len(cells)} cell(s) not needed, {size}; --delete takes them away")
    return 0


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
