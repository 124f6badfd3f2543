"""Pages of the documentation that are made of the code: commands, suite keys, plugins.

MkDocs calls `on_files` (``hooks:`` of mkdocs.yml), so that the pages are made when the site is
built and are never out of date. ``python benchmarks/tools/reference_pages.py FOLDER`` writes them
as Markdown files.
"""

from __future__ import annotations

import ast
import csv
import dataclasses
import inspect
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from recmerge_bench import toolkit
from recmerge_bench.cli import COMMANDS, cli
from recmerge_bench.contract_versions import CONTRACTS
from recmerge_bench.contracts import spec_class
from recmerge_bench.deprecations import DEPRECATIONS
from recmerge_bench.planning.schema import suite_schema
from recmerge_bench.planning.suite import MetricUse, Suite
from recmerge_bench.registry import Registry, discover
from recmerge_bench.specs import KINDS, Spec
from recmerge_bench.training.options import TrainOptions

ROOT = Path(__file__).resolve().parents[2]
#: Kind -> what its plugins are called in a heading.
HEADINGS = {
    "dataset": "Datasets",
    "encoder": "Text encoders",
    "backbone": "Backbones",
    "cdsr": "Cross-domain models",
    "counting": "Counting baselines",
    "strategy": "Merge strategies",
    "protocol": "Protocols",
    "metric": "Metrics",
    "executor": "Executors",
}
_ATTRIBUTES = re.compile(r"^Attributes[^\n]*:\n((?: {4,}[^\n]*\n?|\n)*)", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*?)(?=^ {4}\w+: |\Z)", re.MULTILINE | re.DOTALL)
_ROLE = re.compile(r"``([^`]+)``")


def markdown(text: str) -> str:
    """A docstring's text as Markdown: code spans of reStructuredText are those of Markdown."""
    return _ROLE.sub(r"`\1`", text)


def cell(text: str) -> str:
    """A text as a cell of a table; brackets side by side are no reference."""
    return markdown(" ".join(text.split())).replace("|", r"\|").replace("] [", r"] \[")


def table(heads: str, rows: list[tuple[str, ...]]) -> list[str]:
    """A table, its heads parted by commas."""
    names = heads.split(", ")
    return [
        f"| {' | '.join(names)} |",
        "|---" * len(names) + "|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]


def attributes(cls: type) -> dict[str, str]:
    """What a class's docstring says of its attributes, those of the classes above it too."""
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        text = inspect.cleandoc(vars(base).get("__doc__") or "") + "\n"
        match = _ATTRIBUTES.search(text)
        if match:
            meanings.update(_ATTRIBUTE.findall(match[1]))
    return meanings


def opening(cls: type) -> str:
    """A docstring without its sections."""
    text = inspect.cleandoc(cls.__doc__ or "")
    return markdown(re.split(r"^(?:Attributes|Args|Raises)[^\n]*:\n", text, flags=re.MULTILINE)[0])


# Commands


def command_pages(command: click.Command, words: tuple[str, ...], level: int) -> Iterator[str]:
    """A command's part of the page, then those of its commands."""
    context = click.Context(command, info_name=words[-1])
    usage = " ".join([*words, *command.collect_usage_pieces(context)])
    text = markdown(inspect.cleandoc(command.help or "").replace("\b\n", ""))
    yield from [f"{'#' * level} {' '.join(words)}", "", text, "", f"    {usage}", ""]
    yield from _parameters(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from command_pages(below, (*words, name), min(level + 1, 4))


def _parameters(command: click.Command, context: click.Context) -> list[str]:
    rows = []
    for parameter in command.get_params(context):
        if not isinstance(parameter, click.Option) or parameter.hidden:
            continue
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            rows.append((f"`{record[0]}`".replace("|", r"\|"), cell(record[1])))
    return table("option, meaning", rows) if rows else []


def commands() -> str:
    """Every command with its options, as Click knows them."""
    lines = [
        "# Commands",
        "",
        "Exit codes: 0 ok, 1 some cells failed (with `--strict` also: some are blocked), 2 wrong "
        "use or bad input, 3 a bug. `RECMERGE_BENCH_TRACEBACK=1` shows where an error came from.",
        "",
    ]
    root = click.Context(cli)
    lines += table("command, what it does", [(f"`{n}`", cell(t)) for n, (_, t) in COMMANDS.items()])
    lines += ["## recmerge-bench", "", *_parameters(cli, root)]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        assert command is not None
        lines += command_pages(command, ("recmerge-bench", name), 2)
    return "\n".join(lines)


# Suites


def suite() -> str:
    """Every key of a suite, from the schema of the model that checks suites."""
    schema = suite_schema()
    parts = {"Suite": schema, **schema["$defs"]}
    lines = [
        "# Suite files",
        "",
        "A suite is a YAML file that says what a board compares. It is checked against this schema "
        "before anything runs; an unknown key is an error that names the nearest known one. "
        "[Concepts](../concepts.md) says what tracks, rows, recipes and protocols are.",
        "",
        "A suite that `extends` another is laid over it, mapping by mapping: a key replaces the "
        "other's, lists whole (`more_rows` adds to inherited rows), and a key that is `null` "
        "removes it.",
        "",
        "`recmerge-bench suites schema` prints it as JSON Schema, which editors complete and check "
        "by; `suites list` and `suites show NAME` show the suites that are installed.",
        "",
    ]
    models: dict[str, type[BaseModel]] = {"Suite": Suite, **_models(Suite), "MetricUse": MetricUse}
    for name, model in models.items():
        lines += _model(name, model, parts[name])
    lines += ["## TrainOptions", "", opening(TrainOptions), ""]
    meanings = attributes(TrainOptions)
    rows = [
        (f"`{f.name}`", f"`{_annotation(f.type)}`".replace("|", r"\|"), f"`{f.default!r}`",
         cell(meanings.get(f.name, "")))
        for f in dataclasses.fields(TrainOptions)
    ]  # fmt: skip
    lines += table("key, type, default, meaning", rows)
    return "\n".join(lines)


def _models(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The models that a model's fields are made of, by name."""
    models: dict[str, type[BaseModel]] = {}
    queue: list[Any] = [field.annotation for field in model.model_fields.values()]
    while queue:
        kind = queue.pop(0)
        queue += getattr(kind, "__args__", ())
        is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
        if is_model and kind.__name__ not in models:
            models[kind.__name__] = kind
            queue += [field.annotation for field in kind.model_fields.values()]
    return models


def _model(name: str, model: type[BaseModel], schema: Mapping[str, Any]) -> list[str]:
    meanings = attributes(model)
    rows = []
    for key, value in schema.get("properties", {}).items():
        needed = model.model_fields[key].is_required()
        default = "needed" if needed else f"`{json.dumps(value.get('default'))}`"
        text = meanings.get(key) or value.get("description") or MEANINGS.get((name, key), "")
        rows.append((f"`{key}`", cell(_type(value)), default, cell(text)))
    return [f"## {name}", "", opening(model), "", *table("key, type, default, meaning", rows)]


#: Keys that no docstring speaks of.
MEANINGS = {
    ("Track", "joint"): "training options of a joint training, laid over `training`.",
    ("Track", "dataset_options"): "options of the dataset.",
    ("BaseUse", "dataset_options"): "options of the dataset.",
}


def _type(value: Mapping[str, Any]) -> str:
    """A key's type in words, models as links."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        kinds = [_type(v) for v in value["anyOf"] if v.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in value:
        return ", ".join(f"`{v}`" for v in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}" if "items" in value else "list"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"mapping to {_type(inner)}" if isinstance(inner, dict) and inner else "mapping"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
        str(value.get("type", "any")), str(value.get("type", "any"))
    )


def _annotation(kind: Any) -> str:
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


# Plugins


def plugins() -> str:
    """Every plugin that is installed: options, tier, fidelity, source."""
    registry = discover(environ={})
    lines = [
        "# Plugins that come with it",
        "",
        "What `recmerge-bench plugins list` shows, with all options. The tier says what data a "
        "merge reads ([tiers](../concepts.md#tiers)), the fidelity how the implementation was "
        "checked ([fidelity](../concepts.md#fidelity)).",
        "",
    ]
    for kind in KINDS:
        lines += [f"## {HEADINGS.get(kind, kind)}", ""]
        for name in registry.names(kind):
            lines += _plugin(registry, registry.get(kind, name))
    return "\n".join(lines)


def _plugin(registry: Registry, spec: Spec) -> list[str]:
    facts = [spec.summary]
    for name in ("tier", "fidelity"):
        if hasattr(spec, name):
            facts.append(f"{name} {getattr(spec, name)}")
    facts += [spec.citation] if spec.citation else []
    facts += [f"needs {', '.join(spec.requires)}"] if spec.requires else []
    lines = [
        f"### {spec.name} {{#{spec.kind}-{spec.name.lower()}}}",
        "",
        cell("; ".join(facts)),
        "",
    ]
    for check in getattr(spec, "checks", ()):
        lines += [f"- checked against {cell(str(check))}"]
    lines += [""]
    options = getattr(spec_class(spec), "Options")  # noqa: B009
    meanings = attributes(options)
    rows = []
    for field in dataclasses.fields(options):
        if field.init:
            rows.append((f"`{field.name}`", f"`{_annotation(field.type)}`".replace("|", r"\|"),
                         _default(field, spec), cell(meanings.get(field.name, ""))))  # fmt: skip
    return lines + (table("option, type, default, meaning", rows) if rows else [])


def _default(field: dataclasses.Field[Any], spec: Spec) -> str:
    if field.name in spec.options:
        return f"`{spec.options[field.name]!r}`".replace("|", r"\|")
    if field.default is not dataclasses.MISSING:
        return f"`{field.default!r}`".replace("|", r"\|")
    if field.default_factory is not dataclasses.MISSING:
        return f"`{field.default_factory()!r}`".replace("|", r"\|")
    return "needed"


# Toolkit


def toolkit_page() -> str:
    """Every module of the toolkit: what it is for, its functions and classes."""
    folder = Path(toolkit.__file__).parent
    lines = [
        "# Toolkit",
        "",
        "Building blocks for plugins, beside the [contract](contract.md): import the module that "
        "you need (`from recmerge_bench.toolkit.models.tables import build_tables`). Shapes, "
        "dtypes and sources stand in the docstrings (`help(build_tables)`). "
        f"Version {toolkit.VERSION}; [what that promises](../plugin-api.md).",
        "",
    ]
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if path.name != "__init__.py":
            module = ".".join(path.relative_to(folder).with_suffix("").parts)
            lines += _toolkit_module(module, tree)
    return "\n".join(lines)


def _toolkit_module(module: str, tree: ast.Module) -> list[str]:
    rows = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            called = f"({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else ""
            first = (ast.get_docstring(node) or "").partition("\n\n")[0]
            rows.append((f"`{node.name}{called}`".replace("|", r"\|"), cell(first)))
    about = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    shown = table("name, what it is", rows) if rows else []
    return [f"## {module}", "", markdown(about), "", *shown]


# Blocks of pages


def papers(name: str, metric: str, spread: bool) -> list[str]:
    """A paper's means of a metric, a line a method: columns are backbones, or domains."""
    with (ROOT / "benchmarks" / "paper" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if (r["metric"], r["unit"]) == (metric, "value")]
    column = "backbone" if rows[0]["backbone"] else "domain"
    chosen = [r for r in rows if (r["domain"] == "average") == (column == "backbone")]
    chosen = [r for r in chosen if r["domain"] != "sum"]
    heads = list(dict.fromkeys(r[column] for r in chosen))
    values: dict[str, dict[str, str]] = {}
    for row in chosen:
        printed = f"{row['value']} ± {row['std']}" if spread else row["value"]
        values.setdefault(row["method"], {})[row[column]] = printed
    lines = [
        (method, *(cells.get(head, "–") for head in heads)) for method, cells in values.items()
    ]
    return table(", ".join(["method", *heads]), lines)


def plans() -> list[str]:
    """What the papers' suites would do: cells by kind."""
    import recmerge_bench as rmb

    rows = []
    for name in ("paper-mergerec", "paper-scarce", "paper-unseen", "paper-merit", "merit-ablation"):
        kinds = Counter(c.kind for c in rmb.plan(name, out=ROOT / "build" / "plans").cells)
        seeds = len(rmb.load_suite(name).seeds)
        rows.append(
            (f"`{name}`", *map(str, (seeds, kinds["train"], kinds["merge"], kinds["rank"])))
        )
    return table("suite, seeds, trainings, merges, rankings", rows)


def versions() -> list[str]:
    """The versions of what plugins build on."""
    rows = [(what, f"`{name}`", installed) for name, (what, installed) in CONTRACTS.items()]
    return table("what, a plugin states it as, version now", rows)


def deprecations() -> list[str]:
    """What goes, and what to write instead."""
    rows = [
        (f"`{name}`", d.instead, d.announced, d.until) for name, d in sorted(DEPRECATIONS.items())
    ]
    return table("what goes, instead, announced, goes with version", rows)


BLOCKS: dict[str, Callable[[], list[str]]] = {
    "mergerec": lambda: papers("mergerec", "NDCG@10", spread=False),
    "merit": lambda: papers("merit", "MRR", spread=True),
    "plans": plans,
    "versions": versions,
    "deprecations": deprecations,
}
_BLOCK = re.compile(r"<!-- made: ([a-z-]+) -->")


# Files of the root


def root_page(name: str) -> str:
    """A document of the root as a page: its links into docs/ are links of the site."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.sub(r"\]\(docs/([^)]+)\)", r"](\1)", text)


#: Documents of the root that others link to; pages under their own names.
LINKED = ("ARCHITECTURE.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
PAGES: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands,
    "reference/suite.md": suite,
    "reference/plugins.md": plugins,
    "reference/toolkit.md": toolkit_page,
    "contributing.md": lambda: root_page("CONTRIBUTING.md"),
    "changelog.md": lambda: root_page("CHANGELOG.md"),
    **{name: partial(root_page, name) for name in LINKED},
}


def on_files(files: Any, config: Any) -> Any:
    """MkDocs' hook: the pages join those of docs/."""
    from mkdocs.structure.files import File

    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page()))
    return files


def on_page_markdown(text: str, **_: Any) -> str:
    """MkDocs' hook: the blocks of a page that are made of committed files."""
    return _BLOCK.sub(lambda match: "\n".join(BLOCKS[match[1]]()), text)


if __name__ == "__main__":
    for path, page in PAGES.items():
        target = Path(sys.argv[1]) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(), encoding="utf-8")
