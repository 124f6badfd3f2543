"""Metrics: their names, and the values that they give."""

from __future__ import annotations

import re

import numpy as np

from recmerge_bench.blame import plugin_fault, wrong
from recmerge_bench.borders.arrays import check_array
from recmerge_bench.definitions import MetricDefinition
from recmerge_bench.errors import HandledError, PluginError

_CUTOFF = re.compile(r"[1-9][0-9]{0,8}")
#: Ranks that a metric is tried on when a plan is made.
_TRIED = np.array([1.0, 1.5, 2.0, 10.0, 1e6])


def split_metric(name: str) -> tuple[str, int | None]:
    """``NDCG@10`` -> (``NDCG``, 10); no cut-off is None.

    Raises:
        HandledError: the cut-off is no whole number from 1.
    """
    base, sign, cutoff = name.partition("@")
    if sign and not _CUTOFF.fullmatch(cutoff):
        raise HandledError(f"metric '{name}': the cut-off after @ is a whole number from 1")
    return base, int(cutoff) if sign else None


def values_of(metric: MetricDefinition, ranks: np.ndarray, k: int | None) -> np.ndarray:
    """`MetricDefinition.value`, checked: finite float64 [T].

    Raises:
        PluginError: it is not.
    """

    def fault(message: str) -> PluginError:
        return wrong(metric, "value", message)

    values = check_array(fault, "values", metric.value(ranks, k), np.float64, ranks.shape)
    if not np.isfinite(values).all():
        raise fault("gave NaN or infinite values")
    return values


def try_metric(metric: MetricDefinition, name: str, k: int | None) -> None:
    """See on a few ranks whether a metric works with this cut-off.

    Raises:
        HandledError: it does not.
    """
    try:
        values_of(metric, _TRIED.copy(), k)
    except ValueError as error:  # how a metric says that it needs a cut-off, or takes none
        raise HandledError(f"metric '{name}': {error}") from None
    except HandledError as error:
        raise type(error)(f"metric '{name}': {error}") from None
    except Exception as error:
        raise HandledError(f"metric '{name}': {plugin_fault(error) or error}") from None
