"""``recmerge-bench import-run``."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from recmerge_bench.cli.common import out_option, registry
from recmerge_bench.errors import HandledError
from recmerge_bench.submissions.run_ranks import Unlisted


@click.command("import-run")
@click.argument("files", nargs=-1, required=True, metavar="[DOMAIN=]FILE...")
@click.option("--name", required=True, help="Of the row.")
@click.option("--suite", default="quick", show_default=True, metavar="NAME")
@click.option("--track", required=True, metavar="NAME")
@click.option("--protocol", required=True, metavar="NAME")
@out_option
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Folder of the board.  [default: OUT/external]",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(["trec", "tsv", "atomic", "npz"]), default=None,
    help="Of the files.  [default: by their endings]",
)  # fmt: skip
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Of the board.  [default: the suite's]",
)
@click.option(
    "--unlisted", type=click.Choice(["refuse", "equal"]), default="refuse", show_default=True,
    help="Candidates without a score: refused where a metric needs them, or one tie below all.",
)  # fmt: skip
@click.option("--note", default="", help="One line that the board prints.")
@click.pass_context
def import_run(
    ctx: click.Context,
    files: tuple[str, ...],
    name: str,
    suite: str,
    track: str,
    protocol: str,
    out: Path,
    to: Path | None,
    form: str | None,
    metrics: tuple[str, ...],
    unlisted: str,
    note: str,
) -> int:
    """Rank scores or lists that other software made, beside the rows of a run.

    FILE holds scores of users' candidates: a TREC run (.trec, .run), user, item and score between
    tabs (.tsv), RecBole's atomic form with user_id, item_id and score (.inter), or NumPy arrays
    users, items and scores (.npz). Ids are those that `datasets export` writes. Several files are
    given as DOMAIN=FILE. The row stands on the board <suite>-external, marked as external.
    """
    from recmerge_bench.interface.import_run import import_run as imported

    made = imported(
        _files(files), name=name, track=track, protocol=protocol, suite=suite, out=out, to=to,
        form=form or "", metrics=metrics, unlisted=cast(Unlisted, unlisted), note=note,
        plugins=registry(ctx),
    )  # fmt: skip
    click.echo(repr(made))
    for line in (*made.remarks, *(f"wrote {path}" for path in made.files)):
        click.echo(line)
    return 0


def _files(given: tuple[str, ...]) -> dict[str, str | Path]:
    """Domain -> file; one file without a domain under ""."""
    named: dict[str, str | Path] = {}
    for text in given:
        domain, sign, path = text.partition("=")
        if not sign or Path(text).exists():
            domain, path = "", text
        if domain in named:
            raise HandledError(
                f"two files are given for '{domain}'"
                if domain
                else "give several files as DOMAIN=FILE"
            )
        named[domain] = Path(path)
    return named


__all__ = ["import_run"]
