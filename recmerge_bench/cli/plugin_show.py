"""``recmerge-bench plugins show``."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from recmerge_bench.cli.common import registry

if TYPE_CHECKING:
    from recmerge_bench.interface.plugin_facts import PluginFacts
    from recmerge_bench.interface.plugin_options import OptionFacts


@click.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="A list of all that is known, as JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> int:
    """Show all that is known of a plugin: options, profiles, tier, evidence, citation, file.

    NAME is what suites call it (ties), with its kind where several have the name
    (backbone:sasrec), or the plugin's own name or module (ranking-metrics): then all that it
    registers is shown. Options stand with their types, defaults and meanings; the fidelity of a
    method with what it was compared with, by which test and how closely; the citation as BibTeX.
    Plugins that are not installed are named by -p before the command.

    \b
    Examples:
      recmerge-bench plugins show ties
      recmerge-bench -p median.py plugins show median --json
    """
    from recmerge_bench.interface.plugin_facts import plugin_facts

    shown = plugin_facts(registry(ctx), name)
    if as_json:
        click.echo(json.dumps([facts.to_json() for facts in shown], indent=1))
        return 0
    click.echo("\n\n".join("\n".join(_page(facts)) for facts in shown))
    return 0


def _page(facts: PluginFacts) -> Iterator[str]:
    yield f"{facts.kind} {facts.name}: {facts.summary}"
    lines = {
        "tier": facts.tier,
        **{name: json.dumps(value) for name, value in facts.facts.items()},
        "fidelity": facts.fidelity,
        "class": facts.target,
        "file": facts.file,
        "registered by": facts.registered_by,
        "licence": facts.licence,
        "requires": ", ".join(facts.requires),
        "problem": facts.problem,
    }
    yield from (f"  {name}: {value}" for name, value in lines.items() if value)
    for check in facts.checks:
        yield _filled(f"checked against {check['against']}", 2)
        yield f"    {check['test']} ({check['tolerance']})"
    yield "\noptions:" if facts.options else "\noptions: none"
    for option in facts.options:
        yield from _option(option)
    for name, profile in facts.profiles.items():
        yield f"\nprofile {name}:"
        yield from (f"  {part}: {json.dumps(v)}" for part, v in profile.items() if v)
    if facts.citation:
        yield f"\ncitation: {facts.citation}\n\n{facts.bibtex}"


def _option(option: OptionFacts) -> Iterator[str]:
    value = json.dumps(option.preset)
    was = "" if option.preset == option.default else f" (class: {json.dumps(option.default)})"
    yield f"  {option.name}: {option.type} = {value}{was}"
    if option.meaning:
        yield _filled(option.meaning, 6)


def _filled(text: str, indent: int) -> str:
    return textwrap.fill(
        text, 100, initial_indent=" " * indent, subsequent_indent=" " * (indent + 2)
    )
