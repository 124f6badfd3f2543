"""Metrics of ranks."""

from __future__ import annotations

import numpy as np
import pytest
from recmerge_bench_plugins.metrics import ranking_metrics

from recmerge_bench.evaluation import metrics


def test_ranks_and_metrics() -> None:
    better, equal = np.array([0, 0, 9, 9, 10]), np.array([0, 4, 0, 1, 0])
    ranks = metrics.rank(better, equal)
    assert ranks.tolist() == [1, 3, 10, 10.5, 11]
    assert metrics.rank(better, equal, "optimistic").tolist() == [1, 1, 10, 10, 11]
    assert metrics.hit(ranks, 10).tolist() == [1, 1, 1, 0, 0]
    assert metrics.ndcg(ranks, 10) == pytest.approx([1, 0.5, 1 / np.log2(11), 0, 0])
    assert metrics.mrr(ranks, 10) == pytest.approx([1, 1 / 3, 0.1, 0, 0])
    assert metrics.mrr(ranks, None)[-1] == pytest.approx(1 / 11)
    with pytest.raises(ValueError, match="ties"):
        metrics.rank(better, equal, "worst")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cut-off"):
        metrics.hit(ranks, None)


def test_plugin_metrics() -> None:
    specs = {s.name: s for s in ranking_metrics.recmerge_bench_register()}
    assert set(specs) == {"HR", "Recall", "NDCG", "MRR"}
    for spec in specs.values():
        made = getattr(ranking_metrics, spec.target.split(":")[1])()
        assert made.value(np.array([1.0, 99.0]), 10).tolist() == [1.0, 0.0]
