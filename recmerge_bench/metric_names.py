"""Metrics by name: whether they are there and take the cut-off that stands after ``@``."""

from __future__ import annotations

from collections.abc import Iterable

from recmerge_bench.borders.metrics import split_metric, try_metric
from recmerge_bench.contracts import definition
from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry

#: What is computed where nothing else is asked for.
METRICS = ("NDCG@10", "HR@10", "MRR")


def check_metrics(registry: Registry, names: Iterable[str], where: str = "") -> None:
    """Whether these metrics are there and take their cut-offs; tried on a few ranks.

    Args:
        registry: the plugins.
        names: such as ``NDCG@10``.
        where: what an error begins with.

    Raises:
        HandledError: one is not, or does not.
    """
    for name in names:
        try:
            base, k = split_metric(name)
            try_metric(definition(registry.get("metric", base)), name, k)
        except HandledError as error:
            raise type(error)(f"{where}{error}") from None
