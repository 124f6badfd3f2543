"""A model and a split -> a metric on validation targets: what a search judges a trial by.

Test targets are taken away before anything is ranked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split, without_test
from recmerge_bench.errors import HandledError
from recmerge_bench.running.context import Context
from recmerge_bench.running.stage_rank import stored


def run(context: Context) -> dict[str, Any]:
    """Rank the validation targets of every scored domain, as the chosen protocol ranks.

    The record's report has ``value`` (the mean over domains), ``values`` (by domain), ``targets``
    (how many) and ``select``.
    """
    from dataclasses import replace

    from recmerge_bench.evaluation.metrics import rank
    from recmerge_bench.evaluation.split_ranks import rank_split
    from recmerge_bench.running.selection import selection_of

    selection = selection_of(context)
    if selection is None:
        raise HandledError("nothing says what trials are judged by")
    split, catalogue = without_test(context.split()), context.interactions().catalogue
    rows = _rows(split, catalogue, context.config["domains"])
    instances, ranking = split.valid.take(rows), selection.ranking
    if ranking.candidates is not None:
        ranking = replace(ranking, candidates=np.asarray(ranking.candidates[rows]))
    table = rank_split(stored(context).models(catalogue), split, catalogue, ranking, instances)
    metric = selection.metric(rank(table.n_better, table.n_equal))
    values = {
        domain: float(metric[instances.domains == catalogue.domains.index(domain)].mean())
        for domain in context.config["domains"]
    }
    value = float(np.mean(list(values.values())))
    return {"value": value, "values": values, "targets": len(rows), "select": selection.name}


def _rows(split: Split, catalogue: Catalogue, domains: list[str]) -> np.ndarray:
    """Validation targets of these domains: int64 [R].

    Raises:
        HandledError: a domain has none.
    """
    numbers = [catalogue.domains.index(domain) for domain in domains]
    for domain, number in zip(domains, numbers, strict=True):
        if not (split.valid.domains == number).any():
            raise HandledError(f"'{domain}' has no validation target that a search could judge by")
    return np.flatnonzero(np.isin(split.valid.domains, numbers))
