"""``recmerge-bench merge``: merge any checkpoints, outside a suite."""

from __future__ import annotations

from pathlib import Path

import click

from recmerge_bench.cli.common import registry
from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.merges import ACTIONS

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--method", required=True, metavar="NAME", help="A merge strategy of data tier T0.")
@click.option("--base", required=True, type=FILE, help="The experts' shared base (safetensors).")
@click.option("--expert", "experts", required=True, multiple=True, type=FILE, help="Repeatable.")
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
@click.option("-o", "--out", required=True, type=FILE, help="The merged checkpoint.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_context
def merge(
    ctx: click.Context,
    method: str,
    base: Path,
    experts: tuple[Path, ...],
    changes: tuple[str, ...],
    rules: tuple[str, ...],
    sweep: str | None,
    seed: int,
    out: Path,
    force: bool,
) -> int:
    """Merge checkpoints of one architecture, streaming them from disk.

    Beside OUT come OUT.json, a record of what was merged and how, and OUT.md, a model card.
    """
    from recmerge_bench.interface.merge_files import merge_files
    from recmerge_bench.planning.suite_files import key_values

    files = merge_files(
        method, base=base, experts=experts, out=out, options=key_values(changes),
        policy=_policy(rules), sweep=_scales(sweep), seed=seed, force=force,
        plugins=registry(ctx), progress=True,
    )  # fmt: skip
    for file in files:
        click.echo(f"wrote {file}, {file}.json and {file}.md")
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
