"""What both ranking comparisons share: generated data, our evaluator, RecBole's."""

from __future__ import annotations

import time
from typing import Any

import peer
import side_by_side

from recmerge_bench.data.interactions import Interactions

MEAN_LENGTH = 11.0


def data(users: int, items: int) -> Interactions:
    """One domain; RecBole gets the same events."""
    return peer.load("synthetic", users=users, items=items, n_domains=1, mean_length=MEAN_LENGTH)


def ours(users: int, items: int, negatives: int) -> side_by_side.Measured:
    """Rank every user's last event; the net is as it was initialised."""
    from recmerge_bench.data.candidates import draw
    from recmerge_bench.data.splits import leave_one_out
    from recmerge_bench.evaluation.loaded import LoadedModel
    from recmerge_bench.evaluation.metrics import hit, mrr, ndcg, rank
    from recmerge_bench.evaluation.ranking import Ranking
    from recmerge_bench.evaluation.split_ranks import rank_split
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define

    interactions = data(users, items)
    split = leave_one_out(interactions, ["d0"])
    catalogue, test = interactions.catalogue, split.test
    spec = discover(environ={}).get("backbone", "sasrec")
    definition = define(spec.target, {**spec.options, "init": "random"})
    model = LoadedModel(definition, definition.build(catalogue, ("d0",), 0), ("d0",))
    start = time.perf_counter()
    candidates = draw(split, test, catalogue, negatives, 0) if negatives else None
    drawn = time.perf_counter() - start
    few = test.take(slice(0, 64))
    rank_split([model], split, catalogue, instances=few)  # warm-up
    start = time.perf_counter()
    table = rank_split([model], split, catalogue, Ranking(candidates))
    ranks = rank(table.n_better, table.n_equal)
    metrics = {
        f"{name}@10": float(metric(ranks, 10).mean())
        for name, metric in (("hit", hit), ("ndcg", ndcg), ("mrr", mrr))
    }
    return {
        "units": len(test),
        "seconds": time.perf_counter() - start,
        "drawing_seconds": drawn,
        "metrics": metrics,
    }


def recbole(users: int, items: int, mode: str, rows: int = 0) -> side_by_side.Measured:
    """RecBole's evaluation with the same three metrics at 10; ``rows`` of all users, 0: all."""
    more: dict[str, Any] = {"metrics": ["Hit", "NDCG", "MRR"], "topk": [10]}
    with peer.workplace() as folder:
        peer.write(data(users, items), folder)
        parts = peer.prepare(folder, mode, rows, valid_metric="MRR@10", **more)
        start = time.perf_counter()
        metrics = peer.evaluate(parts)
        seconds = time.perf_counter() - start
        return {"units": len(parts.test.dataset), "seconds": seconds, "metrics": metrics}
