"""``recmerge-bench merge``: merge any checkpoints, outside a suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.merges import ACTIONS

MODEL = click.Path(path_type=Path)


@click.command()
@click.argument("plan", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--method", metavar="NAME", help="A merge strategy of data tier T0.")
@click.option(
    "--base", type=MODEL,
    help="The experts' shared base: a safetensors file, an index.json, or a model's folder. "
    "Adapters without one are merged to an adapter.",
)  # fmt: skip
@click.option(
    "--expert",
    "experts",
    multiple=True,
    type=MODEL,
    help="Likewise, or a LoRA adapter's folder; repeatable.",
)
@click.option("--set", "changes", multiple=True, metavar="key=value", help="The method's options.")
@click.option(
    "--policy", "rules", multiple=True, metavar="PREFIX=merge|base|drop|concatenate",
    help="What becomes of parameters whose names begin so; all merge by default.",
)  # fmt: skip
@click.option(
    "--sweep", metavar="S1,S2,...",
    help="Several scales in one pass; the name of OUT then holds {scale}.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True,
    help="For methods that draw.",
)  # fmt: skip
@click.option(
    "--dtype", metavar="NAME",
    help="Of the result, such as bfloat16; that of each of the base's tensors by default.",
)  # fmt: skip
@click.option(
    "--max-shard-size", metavar="SIZE", help="Of a folder's weight files.  [default: 5GB]"
)
@click.option(
    "--allow-pickle", is_flag=True, help="Read .bin files too, by torch.load(weights_only=True)."
)
@click.option(
    "--adapters", type=click.Choice(["products", "factors", "knots"]),
    help="What the method sees of adapters that are merged without a base.  [default: products]",
)  # fmt: skip
@click.option(
    "--rank", type=click.IntRange(1), help="Of the merged adapter.  [default: the largest]"
)
@click.option(
    "-o", "--out", type=MODEL,
    help="The merged model: a folder where the base is one, unless the name ends in .safetensors.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing file or merged model.")
@click.option(
    "--dry-run", is_flag=True, help="Check all, say memory, disk and time, write nothing."
)
@click.option("--schema", is_flag=True, help="Write the JSON Schema of merge files.")
@click.pass_context
def merge(ctx: click.Context, plan: Path | None, **given: Any) -> int:
    """Merge models of one architecture, streaming them from disk.

    A model is a safetensors file, sharded or not, or a folder as transformers and
    sentence-transformers save it. Beside a merged file come OUT.json, a record of what was merged
    and how, and OUT.md, a model card; a merged folder holds them as merge.json and README.md.

    PLAN is a merge file: several merges in YAML, with weights by expert and layer, in the place of
    the options.
    """
    if given.pop("schema"):
        from recmerge_bench.planning.merge_plan import merge_schema

        click.echo(json.dumps(merge_schema(), indent=1, ensure_ascii=False))
        return 0
    return _one(ctx, given) if plan is None else _planned(ctx, plan, given)


def _planned(ctx: click.Context, plan: Path, given: dict[str, Any]) -> int:
    """The merges of a file."""
    from recmerge_bench.interface.merge_plans import merge_plan, preview_plan

    defaults = click.core.ParameterSource.DEFAULT
    said = [n for n in given if ctx.get_parameter_source(n) != defaults]
    beside = [n for n in said if n not in ("force", "dry_run")]
    if beside:
        words = ", ".join(o.opts[-1] for o in ctx.command.params if o.name in beside)
        raise HandledError(f"{plan} says all of its merges: take {words} away, or put it there")
    if given["dry_run"]:
        for line in preview_plan(plan, force=given["force"], plugins=registry(ctx)):
            click.echo(line)
        return 0
    _tell(merge_plan(plan, force=given["force"], plugins=registry(ctx), progress=True))
    return 0


def _one(ctx: click.Context, given: dict[str, Any]) -> int:
    """The merge that options say."""
    from recmerge_bench.interface.merge_files import merge_files, preview_files
    from recmerge_bench.planning.suite_files import key_values

    for name, word in (("method", "--method"), ("experts", "--expert"), ("out", "--out")):
        if not given[name]:
            raise click.UsageError(f"Missing option '{word}' (or a merge file).", ctx)
    changes, rules, sweep = given.pop("changes"), given.pop("rules"), given.pop("sweep")
    method, dry = given.pop("method"), given.pop("dry_run")
    asked = {
        **given, "options": key_values(changes), "policy": _policy(rules),
        "sweep": _scales(sweep), "plugins": registry(ctx),
    }  # fmt: skip
    if dry:
        click.echo(preview_files(method, **asked))
        return 0
    _tell(merge_files(method, **asked, progress=True))
    return 0


def _tell(models: list[Path]) -> None:
    for path in models:
        beside = "" if path.is_dir() else f", {path}.json and {path}.md"
        click.echo(f"wrote {path}{beside}")


def _scales(sweep: str | None) -> list[float] | None:
    if sweep is None:
        return None
    try:
        return [float(part) for part in sweep.split(",")]
    except ValueError:
        raise HandledError(f"--sweep takes numbers such as 0.2,0.4, not '{sweep}'") from None


def _policy(rules: tuple[str, ...]) -> dict[str, str]:
    policy = {}
    for rule in rules:
        prefix, sign, action = rule.rpartition("=")
        if not sign or action not in ACTIONS:
            raise HandledError(
                f"--policy takes PREFIX={'|'.join(ACTIONS)}, not '{rule}'{near(action, ACTIONS)}"
            )
        if prefix in policy:
            raise HandledError(f"--policy names '{prefix}' twice")
        policy[prefix] = action
    return policy
