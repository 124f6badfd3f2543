"""HR, Recall, NDCG and MRR of one relevant item; suites write ``NDCG@10`` or ``MRR``."""

from __future__ import annotations

import numpy as np

from recmerge_bench.api import MetricDefinition, MetricSpec, Spec, hookimpl


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Four metrics."""
    formulas = {
        "HR": ("HitRate", "share of targets within the first k"),
        "Recall": ("HitRate", "the same as HR, since each instance has one target"),
        "NDCG": ("DiscountedGain", "1 / log2(rank + 1) within the first k"),
        "MRR": ("ReciprocalRank", "1 / rank, within the first k where a cut-off is given"),
    }
    return [
        MetricSpec(name, f"{__name__}:{target}", summary)
        for name, (target, summary) in formulas.items()
    ]


class HitRate(MetricDefinition):
    """1 where the target is within the first k."""

    def value(self, rank: np.ndarray, k: int | None) -> np.ndarray:
        """See `MetricDefinition.value`."""
        from recmerge_bench.toolkit.metrics import hit

        return hit(rank, k)


class DiscountedGain(MetricDefinition):
    """1 / log2(rank + 1) within the first k."""

    def value(self, rank: np.ndarray, k: int | None) -> np.ndarray:
        """See `MetricDefinition.value`."""
        from recmerge_bench.toolkit.metrics import ndcg

        return ndcg(rank, k)


class ReciprocalRank(MetricDefinition):
    """1 / rank, within the first k where a cut-off is given."""

    def value(self, rank: np.ndarray, k: int | None) -> np.ndarray:
        """See `MetricDefinition.value`."""
        from recmerge_bench.toolkit.metrics import mrr

        return mrr(rank, k)
