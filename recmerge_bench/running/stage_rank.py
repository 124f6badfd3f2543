"""A model and a split -> ranks of all test instances: the one stored result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.candidates import candidate_hash
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.ranks import RankTable, write_ranks
from recmerge_bench.running.context import Context
from recmerge_bench.running.stage_train import WEIGHTS, adapter_of, weights_of

Counts = tuple[np.ndarray, np.ndarray]


def run(context: Context) -> dict[str, Any]:
    """Rank every domain's targets with the model that serves the domain.

    The record's report has ``probes`` (domain -> name -> users, mean, std) where the model tells
    something of itself.
    """
    split, catalogue = context.split(), context.interactions().catalogue
    candidates, digest = _candidates(context, split.test)
    better = np.zeros(len(split.test), np.int32)
    equal = np.zeros(len(split.test), np.int32)
    probes = {}
    for domain in context.config["domains"]:
        rows = np.flatnonzero(split.test.domains == catalogue.domains.index(domain))
        part = None if candidates is None else candidates[rows]
        test = split.test.take(rows)
        counts, probes[domain] = _rank(context, split, test, catalogue, domain, part)
        better[rows], equal[rows] = counts
    about = {
        "protocol": {"mask_history": context.config["mask_history"], "candidates": digest},
        "instances": len(split.test),
    }
    table = RankTable(
        split.test.users,
        catalogue.domains,
        split.test.domains.astype(np.int32),
        split.test.targets,
        better,
        equal,
        about,
    )
    write_ranks(context.out / "ranks.parquet", table)
    told = {domain: found for domain, found in probes.items() if found}
    return {**about, "probes": told} if told else about


def _candidates(context: Context, test: Instances) -> tuple[np.ndarray | None, str]:
    folder = context.inputs.get("candidates")
    if folder is None:
        return None, "full"
    drawn = np.load(folder / "candidates.npy", mmap_mode="r")
    return drawn, candidate_hash(drawn, test)


def _rank(
    context: Context,
    split: Split,
    test: Instances,
    catalogue: Catalogue,
    domain: str,
    candidates: np.ndarray | None,
) -> tuple[Counts, dict[str, Any]]:
    """Counts of one domain's instances, and what the model tells of itself (see `probe_net`)."""
    from recmerge_bench.evaluation.probes import probe_net
    from recmerge_bench.evaluation.ranking import Ranking
    from recmerge_bench.evaluation.scorers import rank_with_counts, rank_with_net

    rankings = [Ranking(candidates, context.config["mask_history"])]
    definition = context.definition("model")
    weights = _weights_of(context, domain)
    if context.config["counting"]:
        from safetensors.numpy import load_file

        state = load_file(str(weights))
        return rank_with_counts(definition, state, split, test, catalogue, rankings)[0], {}
    definition.target = domain if context.config.get("single_target") else None
    net = load_net(
        definition,
        catalogue,
        _domains(context, domain),
        context.seed,
        weights,
        context.config.get("initial_tables", False),
        context.device,
    )
    adapted = _adapted(context, definition, domain)
    counts = rank_with_net(adapted, net, split, test, catalogue, rankings, context.device)[0]
    return counts, probe_net(definition, net, split, test, domain, context.device)


def _adapted(context: Context, definition: Any, domain: str) -> Any:
    """The model with the domain's adapter, where its strategy gave one."""
    file = _weights_of(context, domain).parent / adapter_of(domain)
    if not file.is_file():
        return definition
    from safetensors.torch import load_file

    from recmerge_bench.toolkit.merging.adapters import Adapted

    return Adapted(definition, load_file(str(file)))


def _weights_of(context: Context, domain: str) -> Path:
    folder = context.inputs.get("model") or context.inputs[f"model:{domain}"]
    own = folder / weights_of(domain)
    return own if own.is_file() else folder / WEIGHTS


def _domains(context: Context, domain: str) -> tuple[str, ...]:
    """A model of its own serves one domain; a mixed sequence needs all domains' tables."""
    return tuple(context.config["domains"]) if context.config["together"] else (domain,)


def load_net(
    definition: Any,
    catalogue: Catalogue,
    domains: tuple[str, ...],
    seed: int,
    weights: Path,
    initial_tables: bool = False,
    device: str = "cpu",
    exact: bool = False,
) -> Any:
    """Build the net of these domains and load weights, strictly, with what was prepared for it.

    Args:
        initial_tables: what a domain keeps for itself may be missing and then stays as built
            (zero-shot: the base knows no table of the domain).
        exact: refuse tensors of other domains too.

    Raises:
        HandledError: a tensor is missing, unknown or of another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from recmerge_bench.policy import action
    from recmerge_bench.training.prepared import attach, prepares, stored
    from recmerge_bench.training.streams import load_init

    net = definition.build(catalogue, domains, seed)
    try:
        tensors: Mapping[str, Any] = load_file(str(weights))
    except SafetensorError as error:
        raise HandledError(f"{weights}: not a safetensors file ({error})") from None
    if prepares(definition):
        attach(net, stored(tensors, weights))
    own = [n for n in net.state_dict() if action(n, definition.policy) == "domain"]
    missing = [n for n in own if n not in tensors]
    dropped = {n for n in tensors if action(n, definition.policy) == "drop"}
    foreign = sorted(set(tensors) - set(net.state_dict()) - dropped)
    if exact and foreign:
        raise HandledError(f"{weights}: holds what the model lacks: {', '.join(foreign[:5])}")
    if missing and not initial_tables:
        raise HandledError(f"{weights}: lacks {', '.join(missing[:5])}")
    try:
        load_init(definition, net, tensors, catalogue)
    except ValueError as error:
        raise HandledError(f"{weights}: {error}") from None
    return net.to(device).eval()
