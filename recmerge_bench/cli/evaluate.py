"""``recmerge-bench evaluate``: rank with any checkpoint, outside a suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from recmerge_bench.cli.common import data_root_option, registry
from recmerge_bench.errors import HandledError, near
from recmerge_bench.interface.datasets import load_dataset
from recmerge_bench.metric_names import check_metrics
from recmerge_bench.names import wrong_domains
from recmerge_bench.registry import Registry

METRICS = ("NDCG@10", "HR@10", "MRR")


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--backbone", required=True, metavar="NAME", help="A backbone or CDSR model.")
@click.option("--dataset", required=True, metavar="NAME|FOLDER")
@click.option("--protocol", required=True, metavar="NAME")
@click.option("--domains", default=None, metavar="A,B", help="All domains, if not given.")
@click.option("--set", "changes", multiple=True, metavar="key=value", help="The model's options.")
@click.option("--metric", "metrics", multiple=True, default=METRICS, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@data_root_option
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def evaluate(
    ctx: click.Context,
    checkpoint: Path,
    backbone: str,
    dataset: str,
    protocol: str,
    domains: str | None,
    changes: tuple[str, ...],
    metrics: tuple[str, ...],
    device: str,
    data_root: Path | None,
    as_json: bool,
) -> int:
    """Rank a dataset's test targets with a safetensors checkpoint and print metrics by domain.

    The checkpoint must hold every tensor of the model for these domains, and no other.
    """
    found = registry(ctx)
    check_metrics(found, metrics)
    interactions = load_dataset(found, dataset, data_root)
    chosen = _domains(domains, interactions.catalogue.domains)
    table = _ranks(
        found, checkpoint, backbone, _options(changes), interactions, protocol, chosen, device
    )
    from recmerge_bench.results.results import domain_means

    values = domain_means(found, list(metrics), table, chosen)
    if as_json:
        click.echo(json.dumps(values, indent=1))
        return 0
    from tabulate import tabulate

    rows = [[name, *(part[m] for m in metrics)] for name, part in values.items()]
    click.echo(tabulate(rows, ["domain", *metrics], floatfmt=".4f"))
    return 0


def _domains(given: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    chosen = tuple(given.split(",")) if given else known
    for name in chosen:
        if name not in known:
            raise HandledError(
                f"the dataset has no domain '{name}'{near(name, known)}; it has: {', '.join(known)}"
            )
    said = wrong_domains(chosen)
    if said:
        raise HandledError(said)
    return chosen


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


def _ranks(
    found: Registry,
    checkpoint: Path,
    name: str,
    options: dict[str, Any],
    interactions: Any,
    protocol: str,
    domains: tuple[str, ...],
    device: str,
) -> Any:
    from recmerge_bench.borders.splits import cut, rules_of
    from recmerge_bench.contracts import definition
    from recmerge_bench.data.candidates import draw
    from recmerge_bench.evaluation.ranking import Ranking
    from recmerge_bench.evaluation.ranks import RankTable
    from recmerge_bench.evaluation.scorers import rank_with_net
    from recmerge_bench.planning.options import complete
    from recmerge_bench.running.stage_rank import load_net
    from recmerge_bench.specs import CountingSpec

    spec = found.find(("cdsr", "counting"), name) or found.get("backbone", name)
    if isinstance(spec, CountingSpec):
        raise HandledError(f"'{name}' is fitted in a suite; it has no checkpoint to evaluate")
    rules = found.get("protocol", protocol)
    how = rules_of(definition(rules))
    model = definition(spec, complete(spec, options, "evaluate"))
    split, catalogue = cut(definition(rules), interactions, domains), interactions.catalogue
    count = how.candidates
    drawn = (
        None
        if count is None
        else draw(split, split.test, catalogue, count, how.candidate_seed, how.cap_candidates)
    )
    net = load_net(model, catalogue, domains, 0, checkpoint, device=device, exact=True)
    ranking = [Ranking(drawn, how.mask_history)]
    try:
        better, equal = rank_with_net(model, net, split, split.test, catalogue, ranking, device)[0]
    except FloatingPointError as error:
        raise HandledError(f"{checkpoint}: {error}") from None
    about = {"protocol": {"name": protocol}}
    numbers = split.test.domains.astype("int32")
    return RankTable(
        split.test.users, catalogue.domains, numbers, split.test.targets, better, equal, about
    )
