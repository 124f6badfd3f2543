"""``recmerge-bench plugins new``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from recmerge_bench.cli.common import registry

#: Those of `recmerge_bench.interface.scaffold`, which is imported when the command runs.
KINDS = (
    "strategy", "backbone", "cdsr", "baseline", "dataset", "encoder", "protocol", "metric",
    "list-metric", "executor",
)  # fmt: skip


@click.command("new")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(KINDS), help="What it will be.")
@click.option(
    "--package", is_flag=True,
    help="An installable distribution: pyproject.toml with the entry point, CI file, README.",
)  # fmt: skip
@click.option(
    "--to", type=click.Path(path_type=Path, file_okay=False), default=Path(),
    help="Folder to write to; the working directory by default.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Files and next commands as JSON.")
@click.pass_context
def new(
    ctx: click.Context, name: str, kind: str, package: bool, to: Path, as_json: bool
) -> int:  # fmt: skip
    """Create a plugin: a minimal one that works, its test, and a suite with its row.

    A metric turns ranks into values; a list-metric looks at what is shown (coverage, diversity).

    NAME is what suites will call it, such as my-method. Written are my_method.py (the method and
    the hook that registers it), test_my_method.py (what every plugin of the kind has to do, as
    pytest classes) and my-method.yaml (a suite that extends `quick`); with --package a folder
    my-method with an installable distribution instead. All of it passes its own check as it
    stands: change the method into yours and keep the checks green.

    Nothing is ever overwritten. Exit code 2, with one line, where the name is taken or is none
    that Python and suites allow.

    \b
    Examples:
      recmerge-bench plugins new my-method --kind strategy
      recmerge-bench plugins new my-data --kind dataset --package --to ~/code
    """
    from recmerge_bench.interface.scaffold import begin_plugin

    begun = begin_plugin(name, kind, registry=registry(ctx), to=to, package=package)
    if as_json:
        files = [str(path) for path in begun.files]
        click.echo(json.dumps({"files": files, "commands": list(begun.commands)}, indent=1))
        return 0
    for path in begun.files:
        click.echo(f"wrote {path}")
    click.echo("\nnext:")
    for command in begun.commands:
        click.echo(f"    {command}")
    return 0
