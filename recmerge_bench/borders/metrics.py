"""Metrics: their names, and the values that they give, of ranks and of lists."""

from __future__ import annotations

import re
from numbers import Real

import numpy as np

from recmerge_bench.blame import plugin_fault, wrong
from recmerge_bench.borders.arrays import check_array
from recmerge_bench.definitions import DomainCatalogue, ListMetricDefinition, MetricDefinition
from recmerge_bench.errors import HandledError, PluginError

_CUTOFF = re.compile(r"[1-9][0-9]{0,8}")
#: Ranks that a metric is tried on when a plan is made.
_TRIED = np.array([1.0, 1.5, 2.0, 10.0, 1e6])
#: Longest lists that are stored.
LONGEST_LIST = 1000


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


def list_value_of(
    metric: ListMetricDefinition, items: np.ndarray, catalogue: DomainCatalogue
) -> float:
    """`ListMetricDefinition.value` as one finite number.

    Raises:
        PluginError: it is none.
    """

    def fault(message: str) -> PluginError:
        return wrong(metric, "value", message)

    value = metric.value(items, catalogue)
    if isinstance(value, np.ndarray):
        value = check_array(fault, "values", value, np.float64, (len(items),)).mean()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise fault(f"gave {type(value).__name__}; it gives a number, or float64 [lists]")
    if not np.isfinite(float(value)):
        raise fault(f"gave NaN or infinite values of '{catalogue.domain}'")
    return float(value)


def text_encoder_of(metric: ListMetricDefinition) -> str | None:
    """`ListMetricDefinition.text_encoder`, checked.

    Raises:
        PluginError: it is no name.
    """
    name = metric.text_encoder()
    if name is not None and not isinstance(name, str):
        raise wrong(metric, "text_encoder", f"gave {name!r}; it gives an encoder's name or None")
    return name or None


def try_metric(metric: MetricDefinition | ListMetricDefinition, name: str, k: int | None) -> None:
    """See on a few ranks, or lists, whether a metric works with this cut-off.

    Raises:
        HandledError: it does not.
    """
    try:
        if isinstance(metric, ListMetricDefinition):
            _try_lists(metric, k)
        else:
            values_of(metric, _TRIED.copy(), k)
    except ValueError as error:  # how a metric says that it needs a cut-off, or takes none
        raise HandledError(f"metric '{name}': {error}") from None
    except HandledError as error:
        raise type(error)(f"metric '{name}': {error}") from None
    except Exception as error:
        raise HandledError(f"metric '{name}': {plugin_fault(error) or error}") from None


def _try_lists(metric: ListMetricDefinition, k: int | None) -> None:
    """The same of lists: whole, short and empty ones, of items with and without events."""
    if k is None or k > LONGEST_LIST:
        raise ValueError(f"it takes a cut-off from 1 to {LONGEST_LIST}, as in @10")
    size = 7
    vectors = None
    if text_encoder_of(metric):
        vectors = np.eye(size, 4, dtype=np.float32) + np.float32(0.5)
    texts = [f"title: item {n}" for n in range(size)]
    catalogue = DomainCatalogue("d", texts, texts, np.arange(size, dtype=np.int64), vectors)
    items = np.full((3, k), -1, np.int32)
    whole = min(k, size)
    items[0, :whole], items[1, :whole], items[2, : whole - 1] = (
        np.arange(size)[:whole], np.arange(size)[::-1][:whole], np.arange(1, whole),
    )  # fmt: skip
    list_value_of(metric, items, catalogue)
