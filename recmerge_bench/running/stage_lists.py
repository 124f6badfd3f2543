"""Stored lists -> values of list metrics, by domain: made once, beside the ranks."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.blame import plugin_fault
from recmerge_bench.borders.metrics import list_value_of
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import DomainCatalogue
from recmerge_bench.errors import PluginError
from recmerge_bench.evaluation.top_lists import LISTS, MASKED_LISTS, NO_ITEM, read_lists
from recmerge_bench.options import CompleteOptions
from recmerge_bench.running.context import Context, with_text


def run(context: Context) -> dict[str, Any]:
    """Every metric of ``config["metrics"]`` of each domain that has test targets.

    The record's report has ``lists``: domain -> metric -> value. A metric that has no value of one
    of the domains has none of all, and its reason instead: in ``absent`` (metric -> reason), or,
    where its code failed, in ``failed`` (metric -> ``error`` and ``traceback``). The others keep
    their values.
    """
    split, config = context.split(), context.config
    name = MASKED_LISTS if config["masked"] else LISTS
    lists = read_lists(context.inputs["rank"] / name, len(split.test))
    values: dict[str, dict[str, float]] = {}
    absent: dict[str, str] = {}
    failed: dict[str, dict[str, str]] = {}
    for asked in config["metrics"]:
        name = asked["name"]
        try:
            by_domain = _values(asked, _domains(context, split, lists, asked))
        except _NoTexts as reason:
            absent[name] = str(reason)
        except Exception as error:
            failed[name] = _failure(error)
        else:
            for domain, value in by_domain.items():
                values.setdefault(domain, {})[name] = value
    reasons = {"absent": absent, "failed": failed}
    return {"lists": values, **{kind: some for kind, some in reasons.items() if some}}


class _NoTexts(Exception):
    """A metric of texts, and items that have none."""


def _values(
    asked: Mapping[str, Any], domains: Iterator[tuple[str, NDArray[np.int32], DomainCatalogue]]
) -> dict[str, float]:
    """One metric by domain.

    Raises:
        _NoTexts: it compares texts, and no item of a domain has one.
    """
    metric, values = CompleteOptions.read(asked).definition(), {}
    for domain, own, catalogue in domains:
        if asked["text"] and not any(catalogue.texts):
            raise _NoTexts(f"no item texts in '{domain}'")
        values[domain] = list_value_of(metric, own, catalogue)
    return values


def _failure(error: Exception) -> dict[str, str]:
    """What to say of an error out of a metric's code; any other is raised again."""
    message = str(error) if isinstance(error, PluginError) else plugin_fault(error)
    if message is None:
        raise error
    return {"error": f"{type(error).__name__}: {message}", "traceback": _traceback(error)}


def _traceback(error: Exception) -> str:
    return "".join(traceback.format_exception(error))


def _domains(
    context: Context, split: Split, lists: NDArray[np.int32], asked: Mapping[str, Any]
) -> Iterator[tuple[str, NDArray[np.int32], DomainCatalogue]]:
    """Each domain with test targets, its lists to the metric's cut-off, and its items."""
    data = context.interactions()
    if asked["text"]:
        data = with_text(data, context.inputs[asked["text"]])
    catalogue = data.catalogue
    counts = np.bincount(split.sequences.training()[1], minlength=catalogue.n_items)
    for domain in context.config["domains"]:
        of_domain = split.test.domains == catalogue.domains.index(domain)
        if of_domain.any():
            span = catalogue.span(domain)
            own = np.array(lists[of_domain, : asked["k"]])
            own[own != NO_ITEM] -= span.start
            yield domain, own, _of_domain(catalogue, domain, counts.astype(np.int64))


def _of_domain(catalogue: Catalogue, domain: str, counts: NDArray[np.int64]) -> DomainCatalogue:
    span, vectors = catalogue.span(domain), catalogue.vectors
    return DomainCatalogue(
        domain, catalogue.tokens[span], catalogue.texts[span], counts[span],
        None if vectors is None else np.asarray(vectors[span], np.float32),
    )  # fmt: skip
