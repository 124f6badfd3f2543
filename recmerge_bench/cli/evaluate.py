"""``recmerge-bench evaluate``: rank with any checkpoint, outside a suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import data_root_option, registry
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.metrics import METRICS


@click.command()
@click.argument("checkpoints", nargs=-1, required=True, metavar="[DOMAIN=]CHECKPOINT...")
@click.option(
    "--backbone", default="", metavar="NAME",
    help="A backbone, CDSR model or counting recommender; a run's cell says it itself.",
)  # fmt: skip
@click.option(
    "--dataset", default="", metavar="NAME|FOLDER", help="That of the run's cell, if not given."
)
@click.option("--protocol", required=True, metavar="NAME")
@click.option(
    "--domains", default=None, metavar="A,B",
    help="That the model is of: all domains, or those that the cell's run scored, if not given.",
)  # fmt: skip
@click.option("--set", "changes", multiple=True, metavar="key=value", help="The model's options.")
@click.option("--metric", "metrics", multiple=True, default=METRICS, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option(
    "--ranks", type=click.Path(path_type=Path, dir_okay=False), default=None,
    help="Also write the ranks, a Parquet file as a run's rank cells hold.",
)  # fmt: skip
@data_root_option
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def evaluate(
    ctx: click.Context,
    checkpoints: tuple[str, ...],
    backbone: str,
    dataset: str,
    protocol: str,
    domains: str | None,
    changes: tuple[str, ...],
    metrics: tuple[str, ...],
    device: str,
    ranks: Path | None,
    data_root: Path | None,
    as_json: bool,
) -> int:
    """Rank a dataset's test targets with checkpoints and print metrics by domain.

    A CHECKPOINT is a safetensors file, which must hold every tensor of the model for these
    domains, and no other; or the folder of a finished training or merge in a run's store
    (OUT/store/ab/abcdef...), whose record names the model, its options and the data. Of several,
    each serves a domain: DOMAIN=FILE, or cells of single-target models.
    """
    from recmerge_bench.evaluation.ranks import write_ranks
    from recmerge_bench.interface.evaluations import evaluate as rank

    plugins = rank(
        _checkpoints(checkpoints), protocol=protocol, dataset=dataset, model=backbone,
        options=_options(changes), domains=tuple(domains.split(",")) if domains else (),
        metrics=metrics, data_root=data_root, device=device, plugins=registry(ctx),
    )  # fmt: skip
    if ranks is not None:
        write_ranks(ranks, plugins.ranks)
    click.echo(json.dumps(plugins.metrics, indent=1) if as_json else repr(plugins))
    return 0


def _checkpoints(given: tuple[str, ...]) -> dict[str, Path] | list[Path]:
    """Paths, or paths by domain where every one is given as DOMAIN=PATH."""
    named = {}
    for text in given:
        domain, sign, path = text.partition("=")
        if sign and domain and not Path(text).exists():
            if domain in named:
                raise HandledError(f"two checkpoints are given for '{domain}'")
            named[domain] = Path(path)
    if named and len(named) < len(given):
        raise HandledError("give every checkpoint as DOMAIN=PATH, or none")
    return named or [Path(text) for text in given]


def _options(changes: tuple[str, ...]) -> dict[str, Any]:
    from recmerge_bench.yaml_text import parse_yaml

    options: dict[str, Any] = {}
    for change in changes:
        key, sign, text = change.partition("=")
        if not sign:
            raise HandledError(f"--set takes key=value (such as width=64), not '{change}'")
        if key in options:
            raise HandledError(f"--set {key} is given twice")
        options[key] = parse_yaml(text, f"--set {key}").value
    return options
