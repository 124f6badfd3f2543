"""Figures of how learned merges came about: metrics and weights, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from recmerge_bench.report.figures.data import Point, over_seeds
from recmerge_bench.report.figures.rows import by_row

if TYPE_CHECKING:
    from recmerge_bench.results.beside import Curve

#: What is measured along a course -> how the axis calls it.
MEASURES = {
    "cross_entropy": "cross entropy, nats", "entropy": "entropy, nats", "NDCG@10": "NDCG@10",
}  # fmt: skip


def course_points(curves: Sequence[Curve]) -> Iterator[Point]:
    """Means over the domains by step: a panel for each measure, a series for each row."""
    for measure, panel in MEASURES.items():
        for series, seeds in by_row(curves):
            for number, point in enumerate(seeds[0].points):
                values = [domain_mean(seed.points[number].domains, measure) for seed in seeds]
                yield over_seeds(panel, series, point.step, values)


def weight_points(curves: Sequence[Curve]) -> Iterator[Point]:
    """Weights by step: a panel for each row, a series for each domain."""
    for panel, seeds in by_row(curves):
        for domain_number, domain in enumerate(seeds[0].domains):
            for number, weights in enumerate(seeds[0].weights):
                values = [seed.weights[number].mean[domain_number] for seed in seeds]
                yield over_seeds(panel, domain, weights.step, values)


def domain_mean(domains: Mapping[str, Mapping[str, float]], measure: str) -> float:
    """Unweighted mean over the domains."""
    return mean(values[measure] for values in domains.values())
