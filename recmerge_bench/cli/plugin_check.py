"""``recmerge-bench plugins check``."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recmerge_bench.cli.common import data_root_option

if TYPE_CHECKING:
    from recmerge_bench.conformance.requirement import Outcome
    from recmerge_bench.interface.checking import CheckReport
    from recmerge_bench.specs import Spec

_MARKS = {"passed": "ok", "failed": "FAIL", "skipped": "skip"}


@click.command("check")
@click.argument("name", metavar="FILE|MODULE|NAME")
@click.option(
    "--set", "changes", multiple=True, metavar="OPTION=VALUE",
    help="An option of the plugin, laid over its default; repeatable.",
)  # fmt: skip
@data_root_option
@click.option("--only", multiple=True, metavar="REQUIREMENT", help="Try this one; repeatable.")
@click.option(
    "--patience", type=click.FloatRange(min=1), default=120.0, show_default=True,
    metavar="SECONDS", help="Longest time for one requirement.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
@click.pass_context
def check(
    ctx: click.Context, name: str, changes: tuple[str, ...], data_root: Path | None,
    only: tuple[str, ...], patience: float, as_json: bool,
) -> int:  # fmt: skip
    """Check a plugin before a run: what it registers, and what it does on tiny data.

    FILE is a plugin's file or folder (median.py), MODULE an importable module, NAME an installed
    plugin or what one registers (ties; backbone:sasrec where several kinds have the name).

    First the plugin as a whole: hooks found, specs valid, classes of the right kind, import time
    and side effects, options with their types and defaults. Then what its kind has to do, each in
    a process of its own: determinism by seed, no global side effects, a checkpoint's round trip,
    causality, batch invariance, NaN and padding, order of users and domains, the declared data
    tier, widths, a bound on quality, devices, time and memory. A failure says what happened, why
    it matters and how to put it right; what cannot be tried here (no GPU, no data) is skipped
    with its reason.

    Exit code 0: nothing failed; 1: something did; 2: there is no such plugin, option or
    requirement. The same checks are pytest classes in recmerge_bench.testing.

    \b
    Examples:
      recmerge-bench plugins check median.py
      recmerge-bench plugins check sasrec --set width=16 --only causality
      recmerge-bench plugins check my_package.datasets --data-root data --json
    """
    from recmerge_bench.interface.checking import check_plugin
    from recmerge_bench.planning.suite_files import key_values

    report = check_plugin(
        name,
        options=key_values(changes),
        data_root=data_root,
        plugins=(ctx.find_root().obj or {}).get("plugins", ()),
        only=only,
        patience=patience,
        tell=None if as_json else _Printer(name),
    )
    if as_json:
        click.echo(json.dumps(report.to_json(), indent=1))
    else:
        click.echo(_summary(report))
    return 0 if report.ok else 1


class _Printer:
    """Prints outcomes as they come, a heading above those of each spec.

    Args:
        name: of the plugin, as it was named.
    """

    def __init__(self, name: str) -> None:
        self.name, self.last = name, ""

    def __call__(self, outcome: Outcome, spec: Spec | None) -> None:
        """See `recmerge_bench.interface.checking.Tell`."""
        heading = f"plugin {self.name}" if spec is None else _heading(spec)
        if heading != self.last:
            click.echo(("" if not self.last else "\n") + heading)
            self.last = heading
        click.echo(f"  {_MARKS[outcome.status]:<4}  {_line(outcome)}")
        if outcome.status == "failed":
            for title, text in (("why", outcome.why), ("to fix", outcome.remedy)):
                click.echo(textwrap.fill(
                    f"{title}: {text}", 100, initial_indent=" " * 8, subsequent_indent=" " * 10,
                ))  # fmt: skip


def _line(outcome: Outcome) -> str:
    if outcome.status == "failed":
        return f"{outcome.name}: {outcome.what}"
    if outcome.status == "skipped":
        return f"{outcome.name}: not tried, {outcome.what}"
    numbers = ", ".join(f"{n} {v:g}" for n, v in outcome.measured.items())
    return f"{outcome.name}: {outcome.claim}" + (f" ({numbers})" if numbers else "")


def _heading(spec: Spec) -> str:
    from recmerge_bench.contracts import spec_class
    from recmerge_bench.interface.plugin_options import option_facts

    facts = option_facts(spec_class(spec), spec.options)
    lines = [f"{spec.kind} '{spec.name}' ({spec.target})"]
    lines += [f"  option {f.name}: {f.type} = {json.dumps(f.preset)}" for f in facts]
    return "\n".join(lines)


def _summary(report: CheckReport) -> str:
    counts = [
        f"{sum(o.status == status for o in report.all())} {status}"
        for status in ("passed", "failed", "skipped")
    ]
    return "\n" + ", ".join(counts)
