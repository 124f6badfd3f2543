"""``recmerge-bench rerun``."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import data_root_option, registry


@click.command()
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--row", "rows", multiple=True, metavar="KEY=VALUE,...", help="Which row; repeatable, all hold."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), default=None,
    help="The suite's file; named after the suite here if not given.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace the file.")
@data_root_option
@click.pass_context
def rerun(
    ctx: click.Context,
    record: Path,
    rows: tuple[str, ...],
    out: Path | None,
    force: bool,
    data_root: Path | None,
) -> int:
    """Write the suite that makes a row again, from a records file (<suite>.json) alone.

    It is planned at once, to report whether this installation computes the row with the record's
    configuration and from the same cells.
    """
    from recmerge_bench.interface.reruns import rerun as made_again

    made = made_again(record, rows, data_root=data_root, plugins=registry(ctx))
    path = made.write(out, force=force)
    click.echo(f"wrote {path}; recmerge-bench run --suite {path}")
    click.echo(made.remark)
    return 0


__all__ = ["rerun"]
