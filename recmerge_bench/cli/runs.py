"""``recmerge-bench runs``: list, show, resume."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path

import click

from recmerge_bench.cli.common import out_option
from recmerge_bench.cli.tables import facts, fitted
from recmerge_bench.errors import HandledError

_json = click.option("--json", "as_json", is_flag=True, help="Everything as JSON.")


@click.group()
def runs() -> None:
    """List the suites that were run into a folder, show one, resume it."""


@runs.command("list")
@out_option
@_json
def list_(out: Path, as_json: bool) -> int:
    """The suites of a folder and how far each is."""
    from recmerge_bench.interface.run_list import run_states

    states = run_states(out)
    if as_json:
        click.echo(json.dumps([asdict(state) for state in states], indent=1))
        return 0
    rows = [[s.suite, s.ended, _counts(s.states), s.command] for s in states]
    click.echo(fitted(["suite", "ended (UTC)", "results", "command"], rows))
    return 0


@runs.command()
@click.argument("suite")
@out_option
@_json
def show(suite: str, out: Path, as_json: bool) -> int:
    """One suite: its command, its results by how they stand, what is not done and why."""
    from recmerge_bench.interface.run_list import run_states

    [state] = run_states(out, suite)
    if as_json:
        click.echo(json.dumps(asdict(state), indent=1))
        return 0
    for line in facts(
        ("suite", state.suite), ("ended", f"{state.ended} UTC"), ("command", state.command),
        ("results", _counts(state.states)),
    ):  # fmt: skip
        click.echo(line)
    if state.open:
        click.echo(fitted(["result", "status", "reason", "remedy"], [list(r) for r in state.open]))
    return 0


@runs.command()
@click.argument("suite")
@out_option
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def resume(ctx: click.Context, suite: str, out: Path, more: tuple[str, ...]) -> int:
    """Run a suite's command again into the same folder: what is done is not done again.

    MORE is laid behind it after ``--``, such as ``-- --jobs 4``. The command is the one that
    `runs show` prints: a folder of somebody else's may name plugins.
    """
    from recmerge_bench.cli import cli
    from recmerge_bench.interface.run_list import run_states

    [state] = run_states(out, suite)
    words = shlex.split(state.command)
    if words[:1] != ["recmerge-bench"] or "run" not in words:
        raise HandledError(f"{out}: the manifest of '{suite}' has no command to run again")
    words = [_beside(out, word) for word in words[1:]] + ["--out", str(out), *more]
    click.echo(shlex.join(["recmerge-bench", *words]))
    code = cli.main(words, prog_name="recmerge-bench", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _beside(out: Path, word: str) -> str:
    """A suite's file that was written beside the run is named from within its folder."""
    own = out / word
    return str(own) if word.startswith("suites/") and own.is_file() else word


def _counts(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(states.items()))
