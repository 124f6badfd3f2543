"""Metrics of one relevant item as functions of its rank: `recmerge_bench.evaluation.metrics`."""

from recmerge_bench.evaluation.metrics import hit, mrr, ndcg

__all__ = ["hit", "mrr", "ndcg"]
