"""Options and steps that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.suite import Suite
from recmerge_bench.registry import Registry, discover

Command = TypeVar("Command", bound=Callable[..., Any])

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="Folder for the store, records and boards.",
)
data_root_option = click.option(
    "--data-root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=None,
    help="Folder with raw data, for datasets that are not bundled.",
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
            default=None,
            metavar="SELECTOR",
            help="Only these rows, e.g. method=ties,seed=0.",
        ),
        data_root_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def registry(ctx: click.Context) -> Registry:
    """Discover plugins once per command; problems go to stderr, a line each."""
    found = discover((ctx.find_root().obj or {}).get("plugins", ()))
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)
    return found


def make_plan(
    found: Registry,
    suite_name: str,
    changes: tuple[str, ...],
    seeds: str | None,
    only: str | None,
    data_root: Path | None,
) -> tuple[Suite, Plan]:
    """Read the suite, lay the command line's changes over it, and plan."""
    from recmerge_bench.planning.plan import build
    from recmerge_bench.planning.select import select
    from recmerge_bench.planning.suite import load_suite

    if seeds is not None:
        changes = (*changes, f"seeds=[{_seeds(seeds)}]")
    suite = load_suite(suite_name, found, changes)
    plan = build(suite, found, data_root)
    if only is not None:
        keys = set(select(plan, only))
        if not keys:
            raise HandledError(
                f"--only {only} matches nothing in suite '{suite.name}'; see `recmerge-bench plan`"
            )
        plan = plan.restricted([r for r in plan.results if r.key in keys])
    return suite, plan


def _seeds(text: str) -> str:
    parts = [p.strip() for p in text.split(",")]
    if not all(p.isdigit() for p in parts):
        raise HandledError(f"--seeds takes whole numbers such as 0,1, not '{text}'")
    return ",".join(parts)
