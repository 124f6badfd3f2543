"""``recmerge-bench suites``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.cli.tables import facts, fitted
from recmerge_bench.interface.suite_listing import (
    ShownSuite,
    SuiteEntry,
    list_suites,
    settings_of,
    show_suite,
)
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.suite import BackboneUse, GateUse, Track
from recmerge_bench.planning.tune import TuneUse


@click.group()
def suites() -> None:
    """List suites, show what one holds, and write the JSON Schema of their files."""


@suites.command("list")
@click.option("--json", "as_json", is_flag=True, help="Every suite with its file and tracks.")
@click.pass_context
def list_command(ctx: click.Context, as_json: bool) -> int:
    """List the suites that can be named: what `run --suite NAME` takes.

    Rows are counted once whatever backbones, protocols and seeds they run with. Suites come from
    installed plugins and from those that -p names; a file of your own needs no plugin: give its
    path instead of a name.
    """
    entries = list_suites(registry(ctx))
    if as_json:
        click.echo(json.dumps([_entry_json(entry) for entry in entries], indent=1))
        return 0
    rows = [[e.name, e.label, len(e.tracks), e.rows, e.seeds, e.title] for e in entries]
    click.echo(fitted(["suite", "label", "tracks", "rows", "seeds", "title"], rows))
    for entry in entries:
        if entry.error:
            click.echo(f"cannot be read: {entry.error}", err=True)
    return 0


def _entry_json(entry: SuiteEntry) -> dict[str, Any]:
    return {
        "name": entry.name, "file": str(entry.file), "title": entry.title, "label": entry.label,
        "tracks": list(entry.tracks), "rows": entry.rows, "seeds": entry.seeds,
        "error": entry.error,
    }  # fmt: skip


@suites.command("show")
@click.argument("name", metavar="NAME|FILE")
@click.option("--set", "changes", multiple=True, metavar="key=value", help="Change a suite's key.")
@click.option(
    "--json", "as_json", is_flag=True, help="The whole suite, all that it extends laid out."
)
@click.pass_context
def show(ctx: click.Context, name: str, changes: tuple[str, ...], as_json: bool) -> int:
    """Show what a suite holds: its tracks, their rows and what these are compared with.

    What it inherits (`extends`, YAML's <<, more_rows) is laid out. With --json every key is there,
    in the form of a suite's file.
    """
    shown = show_suite(name, changes=changes, plugins=registry(ctx))
    if as_json:
        click.echo(json.dumps(shown.to_json(), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(shown)))
    return 0


def _lines(shown: ShownSuite) -> Iterator[str]:
    suite = shown.suite
    yield from facts(
        ("suite", suite.name), ("title", suite.title), ("file", str(shown.file or "")),
        ("label", suite.label), ("seeds", _joined(suite.seeds)),
        ("metrics", _joined(suite.metrics)), ("threads", str(suite.threads)),
        ("figures", _joined(list(suite.figures))),
    )  # fmt: skip
    for name, track in suite.tracks.items():
        yield ""
        yield from _track(name, track)


def _track(name: str, track: Track) -> Iterator[str]:
    base = f"{track.base.dataset}: {_joined(track.base.domains)}" if track.base else ""
    yield from facts(
        ("track", name), ("dataset", track.dataset), ("domains", _joined(track.domains)),
        ("experts", _joined(track.experts)), ("base", base or _joined(track.source)),
        ("protocols", _joined(track.protocols)), ("profile", track.profile),
        ("seeds", _joined(track.seeds or ())),
        ("backbones", _joined([_backbone(n, use) for n, use in track.backbones.items()])),
        ("searches", _searches(track.tune)),
        ("baseline", track.baseline.method if track.baseline else ""), ("gate", _gate(track.gate)),
        ("isolated", "no data of users is read" if track.isolated else ""),
        ("paper", track.paper.table if track.paper else ""),
    )  # fmt: skip
    rows = [
        [row.method, variant_of(row), _joined(row.backbones), settings_of(row)]
        for row in track.rows
    ]
    yield fitted(["method", "variant", "backbones", "settings"], rows)


def _backbone(name: str, use: BackboneUse) -> str:
    return name if use.tune is None else f"{name} (searched: {use.tune.text})"


def _searches(tune: TuneUse | None) -> str:
    if tune is None:
        return ""
    by = f", judged by {tune.select}" if tune.select else ""
    return f"{tune.trials} trials each ({tune.sampler}, seed {tune.seed}){by}"


def _gate(gate: GateUse | None) -> str:
    return (
        ""
        if gate is None
        else f"{gate.models.method} above {_joined([r.method for r in gate.rows])}"
    )


def _joined(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))


@suites.command("schema")
@click.pass_context
def schema(ctx: click.Context) -> int:
    """Write the JSON Schema of suite files, by which editors complete and check them.

    It is made of the models that check suites, with what their documentation says of each key.
    Names of the installed plugins are given as examples. For VS Code, Neovim and others that use
    yaml-language-server:

    \b
        recmerge-bench suites schema > suite.schema.json
        # first line of a suite's file:
        # yaml-language-server: $schema=suite.schema.json
    """
    from recmerge_bench.planning.schema import suite_schema

    click.echo(json.dumps(suite_schema(registry(ctx)), indent=1, ensure_ascii=False))
    return 0
