"""A model and a split -> ranks of all test instances: the one stored result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.data.candidates import candidate_hash
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.evaluation.ranks import MASKED, RANKS, write_ranks
from recmerge_bench.evaluation.top_lists import LISTS, MASKED_LISTS, TopLists
from recmerge_bench.processes.memory_limit import block_within
from recmerge_bench.running.context import Context
from recmerge_bench.running.loading import Stored
from recmerge_bench.running.phase_ranks import rank_phases

if TYPE_CHECKING:
    from recmerge_bench.evaluation.loaded import Rankable
    from recmerge_bench.evaluation.ranking import Ranking


def run(context: Context) -> dict[str, Any]:
    """Rank every domain's targets with the model that serves the domain.

    Against all items, one pass makes two tables: with the items of the history and without them.
    Against sampled candidates there is one, masked as the configuration says. With ``top_k`` in the
    configuration the pass also keeps so many first items of both rankings against all items.

    The record's report has ``probes`` (domain -> name -> users, mean, std) where the model tells
    something of itself.
    """
    from recmerge_bench.evaluation.ranking import BLOCK_BYTES
    from recmerge_bench.evaluation.split_ranks import rank_under

    if "phases" in context.config:
        return rank_phases(context)
    split, catalogue = context.split(), context.interactions().catalogue
    candidates, digest = _candidates(context, split.test)
    rankings = _rankings(candidates, context.config.get("mask_history"))
    seed = context.config.get("shuffle_seed")
    order = {} if seed is None else {"shuffle_seed": seed}
    protocol, size = {"candidates": digest, **order}, {"instances": len(split.test)}
    probes: dict[str, Any] = {}
    models = stored(context).models(catalogue)
    if seed is None:  # what a model tells of itself is told of true histories
        models = _probed(models, split, catalogue, probes)
    lists = _lists(context, split, catalogue)
    tables = rank_under(
        models, split, catalogue, list(rankings.values()), shuffle_seed=seed, watch=lists,
        block_bytes=block_within(BLOCK_BYTES),
    )  # fmt: skip
    if lists is not None:
        np.save(context.out / LISTS, lists.plain)
        np.save(context.out / MASKED_LISTS, lists.masked)
    for (name, ranking), table in zip(rankings.items(), tables, strict=True):
        facts = {"protocol": {"mask_history": ranking.mask_history, **protocol}, **size}
        write_ranks(context.out / name, replace(table, about=facts))
    return {"protocol": protocol, **size, **({"probes": probes} if probes else {})}


def _lists(context: Context, split: Split, catalogue: Catalogue) -> TopLists | None:
    """What keeps the first items, where the suite names a metric of lists."""
    k = context.config.get("top_k", 0)
    return TopLists(split, split.test, catalogue, k) if k else None


def _rankings(candidates: np.ndarray | None, masked: bool | None) -> dict[str, Ranking]:
    """File of the cell -> against what the targets are ranked in it."""
    from recmerge_bench.evaluation.ranking import Ranking

    if candidates is None:
        return {RANKS: Ranking(), MASKED: Ranking(mask_history=True)}
    return {RANKS: Ranking(candidates, bool(masked))}


def stored(context: Context) -> Stored:
    """The models of a rank cell, by the domains that they serve."""
    config, inputs = context.config, context.inputs
    domains = tuple(config["domains"])

    members = tuple(place for role, place in inputs.items() if role.startswith("model:"))
    mean_score = config.get("mean_score", False)

    def place(domain: str) -> Path:
        own = inputs.get("model") or inputs.get(f"model:{domain}")
        # Only a mean score serves domains that none of its models was trained for.
        return own or (members[0] if mean_score else inputs[f"model:{domain}"])

    return Stored(
        context.definition("model"),
        {domain: place(domain) for domain in domains},
        domains,
        counting=config["counting"],
        together=config["together"],
        single_target=config.get("single_target", False),
        initial_tables=config.get("initial_tables", False),
        members=members if mean_score else (),
        seed=context.seed,
        device=context.device,
    )


def _probed(
    models: Iterator[Rankable], split: Split, catalogue: Catalogue, probes: dict[str, Any]
) -> Iterator[Rankable]:
    """The models; what each tells of itself is put into `probes` after it has ranked."""
    from recmerge_bench.evaluation.loaded import LoadedModel
    from recmerge_bench.evaluation.probes import probe_model

    for model in models:
        yield model
        if not isinstance(model, LoadedModel):
            continue
        for domain in model.serves:
            number = catalogue.domains.index(domain)
            instances = split.test.take(np.flatnonzero(split.test.domains == number))
            if quantities := probe_model(model, split, instances, domain):
                probes[domain] = quantities


def _candidates(context: Context, test: Instances) -> tuple[np.ndarray | None, str]:
    folder = context.inputs.get("candidates")
    if folder is None:
        return None, "full"
    drawn = np.load(folder / "candidates.npy", mmap_mode="r")
    return drawn, candidate_hash(drawn, test)
