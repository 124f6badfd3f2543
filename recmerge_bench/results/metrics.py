"""Metrics of stored ranks, by the metrics' plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.borders.metrics import values_of
from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.names import MEAN
from recmerge_bench.planning.metrics import plugin_of, rank_metric
from recmerge_bench.registry import Registry


def metric_values(
    registry: Registry, names: Sequence[str], table: RankTable, ties: str = "mid"
) -> dict[str, NDArray[np.float64]]:
    """Value of each metric (``NDCG@10``, ``MRR``) for each instance: float64 [T].

    Raises:
        HandledError: no plugin registers the metric, or it takes no such option or cut-off.
        PluginError: it gave something else than finite numbers.
    """
    uses = [rank_metric(registry, name) for name in names]
    ranks = rank(table.n_better, table.n_equal, ties)  # type: ignore[arg-type]
    return {use.name: values_of(use.options.definition(), ranks, use.k) for use in uses}


def not_loaded(registry: Registry, names: Iterable[str]) -> dict[str, str]:
    """Metrics whose plugin is not loaded here, each with the line that says so."""
    return {
        name: f"metric '{name}' is left out: {registry.unknown(plugin, (), 'the metric ')}"
        for name in names
        if registry.find(("metric",), plugin := plugin_of(name)) is None
    }


def domain_means(
    registry: Registry, names: Sequence[str], table: RankTable, domains: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Mean of each metric by domain, and ``mean``: the unweighted mean over the domains.

    Raises:
        DataError: the ranks are of other domains.
    """
    values = metric_values(registry, names, table)
    means: dict[str, dict[str, float]] = {}
    for domain in domains:
        if domain not in table.domains:
            raise DataError(
                f"the ranks of '{domain}' are not there: they are of {', '.join(table.domains)}; "
                "run the suite again"
            )
        of_domain = table.domain == table.domains.index(domain)
        if of_domain.any():
            means[domain] = {name: float(v[of_domain].mean()) for name, v in values.items()}
    return with_mean(means, names)


def with_mean(
    by_domain: Mapping[str, Mapping[str, float]], names: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    """Values of metrics by domain, and ``mean``: the unweighted mean over the domains.

    Args:
        by_domain: domain -> metric -> value; all domains have the same metrics.
        names: of the metrics; the first domain's if not given.
    """
    parts = [dict(values) for values in by_domain.values()]
    names = list(parts[0]) if names is None and parts else list(names or ())
    mean = {n: float(np.mean([p[n] for p in parts])) for n in names} if parts else {}
    return {**dict(zip(by_domain, parts, strict=True)), MEAN: mean}
