"""``recmerge-bench rerun``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import data_root_option, registry
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry


@click.command()
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--row", "rows", multiple=True, metavar="KEY=VALUE,...", help="Which row; repeatable, all hold."
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The suite's file; named after the suite here if not given.",
)
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

    It is planned here at once: whether this installation makes the row with the record's
    configuration, and whether the cells are those of the record, is said.
    """
    from recmerge_bench.files import write_text
    from recmerge_bench.planning.rerun import matching, suite_of, text_of
    from recmerge_bench.results.files import load_records

    records = load_records(record).to_json()
    chosen = matching(records["results"], rows)
    suite = suite_of(records, chosen)
    path = out or Path(f"{suite['name']}.yaml")
    if path.suffix not in (".yaml", ".yml"):
        raise HandledError(f"{path}: suites are files that end in .yaml")
    if path.exists() and not force:
        raise HandledError(f"{path} is there already; --force replaces it, -o names another")
    plugins = registry(ctx)
    text = text_of(suite, _comments(record, chosen[0]))
    remarks = _checked(plugins, text, path, chosen, data_root)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    click.echo(f"wrote {path}; recmerge-bench run --suite {path}")
    for line in remarks:
        click.echo(line)
    return 0


def _comments(record: Path, result: Mapping[str, Any]) -> list[str]:
    """What made the row, for a reader of the file."""
    from recmerge_bench._version import __version__

    made = {**result.get("libraries", {}), **result.get("plugins", {})}
    return [
        f"Made by recmerge-bench {__version__} rerun from {record.name}: this row again, all of "
        "its options given.",
        f"Configuration {result['configuration_sha256']}",
        *([f"Recorded with {', '.join(f'{k} {v}' for k, v in made.items())}"] if made else []),
    ]


def _checked(
    plugins: Registry, text: str, path: Path, row: Sequence[Mapping[str, Any]],
    data_root: Path | None,
) -> list[str]:  # fmt: skip
    """What planning the suite here says of it.

    Raises:
        HandledError: this installation cannot make the row, or would make another one.
    """
    from recmerge_bench.planning.configuration import configured
    from recmerge_bench.planning.plan import build
    from recmerge_bench.planning.rerun import differences
    from recmerge_bench.planning.suite import load_suite

    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder) / path.name
        aside.write_text(text, encoding="utf-8")
        try:
            plan = build(load_suite(str(aside), plugins), plugins, data_root)
        except HandledError as error:
            message = str(error).replace(f"{folder}/", "")
            raise HandledError(f"this installation cannot make the row: {message}") from None
    keys = {r.identity["seed"]: r.key for r in plan.results}
    planned = configured(plan.results[0].configuration)
    if planned["configuration_sha256"] != row[0]["configuration_sha256"]:
        apart = list(differences(planned["configuration"], row[0]["configuration"]))
        raise HandledError(
            "this installation would make the row with another configuration (here, recorded): "
            f"{'; '.join(apart[:5])}{'; ...' if len(apart) > 5 else ''}"
        )
    same = all(keys.get(r["identity"]["seed"]) == r["key"] for r in row)
    if same:
        return ["the cells are those of the record"]
    blocked = [c.blocked for c in plan.cells.values() if c.blocked]
    if blocked:
        return [f"it cannot run here: {blocked[0][0]}; to fix: {blocked[0][1]}"]
    return [
        "the same configuration, other cells than the record's: its code or its raw data were "
        "others than those here"
    ]


__all__ = ["rerun"]
