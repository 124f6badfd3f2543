"""``recmerge-bench leaderboard export``: records in other forms."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import registry

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--records", type=FOLDER, default=Path("leaderboards/records"), show_default=True)
@click.option("--suite", required=True, metavar="NAME", help="Whose records.")
@click.option(
    "--format",
    "formats",
    required=True,
    multiple=True,
    metavar="csv|parquet|latex|trec|results",
    help="Repeatable.",
)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder for the files.")
@click.option(
    "--only",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="These results alone (method, seed, ...); several add up.",
)
@click.pass_context
def export(
    ctx: click.Context,
    records: Path,
    suite: str,
    formats: tuple[str, ...],
    to: Path,
    only: tuple[str, ...],
) -> int:
    """CSV, Parquet, LaTeX, TREC qrels, RESULTS.md.

    Of one suite's records; all files are written or none. TREC files are qrels and each result's
    values by query, as `trec_eval -q` prints them; no runs: lists of items are not stored.
    """
    from recmerge_bench.errors import HandledError, near
    from recmerge_bench.report.exports.write import FORMATS, export_suite

    for name in formats:
        if name not in FORMATS:
            raise HandledError(
                f"no format '{name}'{near(name, FORMATS)}; there are: {', '.join(FORMATS)}"
            )
    plugins = registry(ctx)
    for file in export_suite(records, suite, tuple(dict.fromkeys(formats)), to, plugins, only):
        click.echo(f"wrote {file}")
    return 0
