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
    if own is None:
        return {}
    ratios = {d: _ratios(line, own, d, metric) for d in (*line.domains, MEAN)}
    everywhere = set.intersection(*map(set, ratios.values()))
    seeds = [seed for seed in line.seeds if seed in everywhere]
    if not seeds:
        return {}
    kept = {domain: {s: of_domain[s] for s in seeds} for domain, of_domain in ratios.items()}
    whole = kept.pop(MEAN)
    means = {s: mean(of_domain[s] for of_domain in kept.values()) for s in seeds}
    return {**kept, MEAN_OF_RATIOS: means, RATIO_OF_MEANS: whole}


def _ratios(line: Line, own: Line, domain: str, metric: str) -> dict[int | None, float]:
    base, ratios = by_seed(own, domain, metric), {}
    for seed, value in by_seed(line, domain, metric).items():
        below = base.get(None, base.get(seed))
        if below:
            ratios[seed] = value / below
    return ratios
