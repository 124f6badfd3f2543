"""``recmerge-bench merge``: merge any checkpoints, outside a suite."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.merges import ACTIONS

MODEL = click.Path(path_type=Path)


@click.command()
@click.option("--method", required=True, metavar="NAME", help="A merge strategy of data tier T0.")
@click.option(
    "--base", type=MODEL,
    help="The experts' shared base: a safetensors file, an index.json, or a model's folder. "
    "Adapters without one are merged to an adapter.",
)  # fmt: skip
@click.option(
    "--expert",
    "experts",
    required=True,
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
    "-o", "--out", required=True, type=MODEL,
    help="The merged model: a folder where the base is one, unless the name ends in .safetensors.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Replace an existing file or merged model.")
@click.pass_context
def merge(
    ctx: click.Context,
    method: str,
    base: Path | None,
    experts: tuple[Path, ...],
    changes: tuple[str, ...],
    rules: tuple[str, ...],
    sweep: str | None,
    seed: int,
    dtype: str | None,
    max_shard_size: str | None,
    allow_pickle: bool,
    adapters: str | None,
    rank: int | None,
    out: Path,
    force: bool,
) -> int:
    """Merge checkpoints of one architecture, streaming them from disk.

    A model is a safetensors file, sharded or not, or a folder as transformers and
    sentence-transformers save it. Beside a merged file come OUT.json, a record of what was merged
    and how, and OUT.md, a model card; a merged folder holds them as merge.json and README.md.
    """
    from recmerge_bench.interface.merge_files import merge_files
    from recmerge_bench.planning.suite_files import key_values

    files = merge_files(
        method, base=base, experts=experts, out=out, options=key_values(changes),
        policy=_policy(rules), sweep=_scales(sweep), dtype=dtype, max_shard_size=max_shard_size,
        allow_pickle=allow_pickle, adapters=adapters, rank=rank, seed=seed,
        force=force, plugins=registry(ctx), progress=True,
    )  # fmt: skip
    for file in files:
        beside = "" if file.is_dir() else f", {file}.json and {file}.md"
        click.echo(f"wrote {file}{beside}")
    return 0


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
