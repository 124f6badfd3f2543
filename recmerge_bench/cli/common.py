"""Options and steps that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry, discover

Command = TypeVar("Command", bound=Callable[..., Any])


class OutFolder(click.ParamType):
    """A run's folder, or an address (``s3://...``): this machine's mirror of it then."""

    name = "DIR|ADDRESS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The folder; an address's manifests are fetched."""
        from recmerge_bench.running.mirror import opened

        folder = opened(value)
        if folder.is_file():
            self.fail(f"Directory '{folder}' is a file.", param, ctx)
        return folder


out_option = click.option(
    "--out",
    type=OutFolder(),
    default="runs",
    show_default=True,
    help="Folder for the store, records and boards, or an address of an object store.",
)
data_root_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder with raw data, for datasets that are not bundled.",
)


set_option = click.option(
    "--set", "changes", multiple=True, metavar="key=value", help="An option of the dataset."
)


def suite_options(command: Command) -> Command:
    """``--suite, --set, --seeds, --only, --data-root``: what chooses a plan."""
    options = [
        click.option(
            "--suite", "suite_name", default="quick", show_default=True, metavar="NAME|FILE"
        ),
        click.option(
            "--set", "changes", multiple=True, metavar="key=value", help="Change a suite's key."
        ),
        click.option(
            "--seeds", default=None, metavar="0,1", help="Replicates instead of the suite's."
        ),
        click.option(
            "--only",
            multiple=True,
            metavar="SELECTOR",
            help="Only these rows, e.g. method=NAME,seed=0; several add up.",
        ),
        data_root_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def registry(ctx: click.Context) -> Registry:
    """Discover plugins once per command; problems go to stderr, a line each.

    Raises:
        HandledError: a plugin that the command names (``-p``) cannot be used.
    """
    discovered = discover((ctx.find_root().obj or {}).get("plugins", ()))
    if discovered.refused:
        raise HandledError(discovered.refused[0])
    for problem in discovered.problems:
        click.echo(f"warning: {problem}", err=True)
    return discovered


def seeds_of(text: str | None) -> list[int] | None:
    """The seeds that ``--seeds`` gives; None where it is not given.

    Raises:
        HandledError: something else than whole numbers.
    """
    if text is None:
        return None
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isdigit() for p in parts):
        raise HandledError(f"--seeds takes whole numbers such as 0,1, not '{text}'")
    return [int(p) for p in parts]
