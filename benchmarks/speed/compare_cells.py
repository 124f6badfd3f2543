"""Comparing a family with its baseline from stored ranks: comparisons per second.

    python benchmarks/speed/compare_cells.py [--small]

Ours does everything that a board prints: NDCG@10 from ranks, both claims, the two-level bootstrap
(2,000 draws), the sign-flip test (10,000), effects, Holm, verdicts. SciPy's side does two of these
with `ttest_rel` and `permutation_test`, for one comparison; it has no two-level bootstrap. Seconds
are CPU seconds of all threads, since the machine was shared; the wall clock's are beside them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import side_by_side


def ranks(given: argparse.Namespace, cells: int) -> list[np.ndarray]:
    """Ranks as a board has them, int32 [seeds, users] each; 8 % within the first ten."""
    rng = np.random.default_rng(0)
    level = rng.normal(-4.8, 1.5, size=given.users)
    cells_ranks = []
    for _ in range(cells):
        score = level + rng.normal(size=(given.seeds, given.users))
        cells_ranks.append(np.minimum(np.exp(-score) + 1, given.users).astype(np.int32))
    return cells_ranks


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """The whole family at once."""
    from recmerge_bench.evaluation.metrics import ndcg
    from recmerge_bench.statistics.comparison import compare_family
    from recmerge_bench.statistics.scores import Scores, Units

    stored, seeds = ranks(given, given.cells + 1), tuple(range(given.seeds))
    start = clocks()
    base, *rest = (Scores(ndcg(r.astype(np.float64), 10), seeds) for r in stored)
    family = {str(n): scores for n, scores in enumerate(rest)}
    comparisons = compare_family(family, base, Units.of_users(given.users))
    assert len(comparisons) == given.cells
    return {"units": given.cells, **since(start)}


def scipy(given: argparse.Namespace) -> side_by_side.Measured:
    """One comparison's t-test and sign-flip test."""
    from scipy import stats

    from recmerge_bench.evaluation.metrics import ndcg

    stored = ranks(given, 2)
    start = clocks()
    base, first = (ndcg(r.astype(np.float64), 10).mean(axis=0) for r in stored)
    stats.ttest_rel(first, base)
    stats.permutation_test(
        (first, base), lambda a, b, axis: (a - b).mean(axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=10_000, batch=100, rng=np.random.default_rng(0),
    )  # fmt: skip
    return {"units": 1, **since(start)}


def clocks() -> tuple[float, float]:
    """CPU and wall clock."""
    return time.process_time(), time.perf_counter()


def since(start: tuple[float, float]) -> side_by_side.Measured:
    """Seconds of both."""
    now = clocks()
    return {"seconds": now[0] - start[0], "wall_seconds": now[1] - start[1]}


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "Comparing 100 cells, 5 seeds",
            "comparisons",
            {"ours": ours, "SciPy": scipy},
            "CPU time",
        ),
        [
            ("cells", (100, 5), "methods beside one baseline"),
            ("users", (25_000, 1_000), "with a test target each"),
            ("seeds", (5, 2), "of each method"),
        ],
    )
