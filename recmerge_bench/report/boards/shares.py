"""Scores as shares of the own-domain expert's, seed by seed."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from recmerge_bench.names import MEAN
from recmerge_bench.report.boards.table import Line

#: The two averages over domains: domains weigh alike, or by the expert's score.
MEAN_OF_RATIOS, RATIO_OF_MEANS = "mean of ratios", "ratio of means"


def experts(lines: Sequence[Line], reference: str | None) -> dict[str, Line]:
    """Backbone -> the reference method's line on it, where it is done."""
    return {
        line.identity.backbone: line
        for line in lines
        if line.values and line.identity.method == reference
    }


def by_seed(line: Line, domain: str, metric: str) -> dict[int | None, float]:
    """Seed -> value, of the seeds that are done."""
    return dict(zip(line.seeds, line.values.get((domain, metric), []), strict=False))


def shares(line: Line, own: Line | None, metric: str) -> dict[str, dict[int | None, float]]:
    """Domain, and each average, -> seed -> the share of the expert of the same seed.

    Seeds that either has not are left out; nothing is there where no share can be computed.
    """
    by_domain: dict[str, dict[int | None, float]] = {}
    if own is None:
        return by_domain
    ratios = {d: _ratios(line, own, d, metric) for d in (*line.domains, MEAN)}
    seeds = [s for s in line.seeds if all(s in ratios[d] for d in ratios)]
    if not seeds:
        return by_domain
    for domain in line.domains:
        by_domain[domain] = {s: ratios[domain][s] for s in seeds}
    by_domain[MEAN_OF_RATIOS] = {s: mean(ratios[d][s] for d in line.domains) for s in seeds}
    by_domain[RATIO_OF_MEANS] = {s: ratios[MEAN][s] for s in seeds}
    return by_domain


def _ratios(line: Line, own: Line, domain: str, metric: str) -> dict[int | None, float]:
    base, ratios = by_seed(own, domain, metric), {}
    for seed, value in by_seed(line, domain, metric).items():
        below = base.get(None, base.get(seed))
        if below:
            ratios[seed] = value / below
    return ratios
