"""``recmerge-bench datasets``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import data_root_option, out_option, registry, set_option
from recmerge_bench.cli.tables import fitted
from recmerge_bench.errors import Blocked, HandledError
from recmerge_bench.interface.datasets import Availability, availability, load_dataset
from recmerge_bench.specs import Spec
from recmerge_bench.untrusted.paths import slug


@click.group()
def datasets() -> None:
    """List, prepare and export datasets."""


@datasets.command("list")
@data_root_option
@click.option("--json", "json_wanted", is_flag=True)
@click.pass_context
def list_datasets(ctx: click.Context, data_root: Path | None, json_wanted: bool) -> int:
    """Show the registered datasets, and whether their data are found."""
    rows = [as_json(row) for row in availability(registry(ctx), data_root)]
    if json_wanted:
        click.echo(json.dumps(rows, indent=1))
        return 0
    state = {row["name"]: row["status"].partition(":")[0] for row in rows}
    cells = [[row["name"], state[row["name"]], row["summary"]] for row in rows]
    click.echo(fitted(["name", "files", "what"], cells))
    lacking = [row for row in rows if state[row["name"]] == "missing"]
    click.echo("".join(f"\n{row['status']}\n  to fix: {row['mend']}" for row in lacking))
    return 0


def as_json(row: Availability) -> dict[str, str]:
    """A row as ``--json`` tells it."""
    return {"mend" if k == "remedy" else k: v for k, v in asdict(row).items()}


@datasets.command()
@click.argument("name")
@click.option(
    "--data-root",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder that raw data are put in.  [default: $RECMERGE_BENCH_DATA or the user's cache]",
)
@out_option
@set_option
@click.option("--mirror", default=None, metavar="URL|FOLDER", help="Where to take raw files from.")
@click.pass_context
def prepare(
    ctx: click.Context,
    name: str,
    data_root: Path | None,
    out: Path,
    changes: tuple[str, ...],
    mirror: str | None,
) -> int:
    """Fetch a dataset's raw files, read it into the store, check it, and tell its counts.

    Given a text encoder's name, fetch its weights.
    """
    from recmerge_bench.planning.options import complete
    from recmerge_bench.planning.plan import data_cell_alone
    from recmerge_bench.planning.suite_files import key_values
    from recmerge_bench.running.jobs import job_spec
    from recmerge_bench.running.store import Store
    from recmerge_bench.worker import execute

    plugins = registry(ctx)
    if ("encoder", name) in plugins.specs:
        return _fetch_weights(plugins.get("encoder", name), data_root, changes, mirror)
    spec = plugins.get("dataset", name)
    options = complete(spec, key_values(changes), "datasets prepare")
    for path in options.definition().fetch(data_root, mirror):
        click.echo(f"have {path}")
    plan, key = data_cell_alone(plugins, name, data_root, options.values)
    cell = plan.cells[key]
    if cell.blocked:
        raise HandledError(f"{cell.blocked[0]}; {cell.blocked[1]}")
    ended: list[dict[str, Any]] = []
    execute(job_spec(cell, plan, out.resolve()), ended.append)
    if ended[-1]["event"] != "done":
        raise HandledError(str(ended[-1].get("error", ended[-1]["event"])).partition(": ")[2])
    report = Store(out.resolve()).record(key)["report"]
    click.echo(f"{name}: {report['users']} users, {report['events']} events, items by domain: "
               + ", ".join(f"{d} {n}" for d, n in report["items"].items()))  # fmt: skip
    click.echo(f"fingerprint {report['fingerprint']}")
    for what, count in report["counts"].items():
        click.echo(f"{what}: {count}")
    for note in report.get("notes", ()):
        click.echo(f"note: {note}")
    return 0


def _fetch_weights(
    spec: Spec, data_root: Path | None, changes: tuple[str, ...], mirror: str | None
) -> int:
    from recmerge_bench.planning.options import complete
    from recmerge_bench.planning.suite_files import key_values

    encoder = complete(spec, key_values(changes), "datasets prepare").definition()
    encoder.fetch(data_root, mirror)
    try:
        for path in encoder.sources(data_root):
            click.echo(f"have {path}")
    except Blocked as missing:
        raise HandledError(f"{missing.reason}; {missing.remedy}") from None
    return 0


@datasets.command()
@click.argument("name")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True)
@data_root_option
@click.pass_context
def export(ctx: click.Context, name: str, to: Path, data_root: Path | None) -> int:
    """Write a dataset as RecBole atomic files (.inter, .item)."""
    from recmerge_bench.toolkit.data.atomic import export_atomic

    loaded = load_dataset(registry(ctx), name, data_root)
    stem = slug(Path(name).resolve().name if Path(name).is_dir() else name)  # "." has no name
    for path in export_atomic(loaded, to, stem):
        click.echo(f"wrote {path}")
    return 0


@datasets.command()
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("leaderboards/datasets"),
    show_default=True,
    help="Folder of profiles, beside the records of boards.",
)
@data_root_option
@set_option
@click.pass_context
def profile(
    ctx: click.Context, name: str, to: Path, data_root: Path | None, changes: tuple[str, ...]
) -> int:  # fmt: skip
    """Count how events are spread over users and items, for the dataset's page on the site."""
    from recmerge_bench.planning.suite_files import key_values
    from recmerge_bench.results.profiles import profile as counted
    from recmerge_bench.results.profiles import save_profile

    loaded = load_dataset(registry(ctx), name, data_root, key_values(changes))
    made = counted(name, loaded)
    click.echo(f"{name}: {made.users} users, {made.events} events, {made.tied} of them at a time "
               "that another event of the user has")  # fmt: skip
    click.echo(f"wrote {save_profile(to, made)}")
    return 0
