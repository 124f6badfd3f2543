"""Metrics of stored ranks, by the metrics' plugins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.borders.metrics import values_of
from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.metrics import rank
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.names import MEAN
from recmerge_bench.planning.metrics import metric_use
from recmerge_bench.registry import Registry


def metric_values(
    registry: Registry, names: Sequence[str], table: RankTable, ties: str = "mid"
) -> dict[str, NDArray[np.float64]]:
    """Value of each metric (``NDCG@10``, ``MRR``) for each instance: float64 [T].

    Raises:
        HandledError: no plugin registers the metric, or it takes no such option or cut-off.
        PluginError: it gave something else than finite numbers.
    """
    uses = [metric_use(registry, name) for name in names]
    ranks = rank(table.n_better, table.n_equal, ties)  # type: ignore[arg-type]
    return {use.name: values_of(use.options.definition(), ranks, use.k) for use in uses}


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
    parts = list(means.values())
    means[MEAN] = {n: float(np.mean([p[n] for p in parts])) for n in names} if parts else {}
    return means
