"""Stored lists -> values of list metrics, by domain: made once, beside the ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.borders.metrics import list_value_of
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import DomainCatalogue
from recmerge_bench.evaluation.top_lists import LISTS, MASKED_LISTS, NO_ITEM, read_lists
from recmerge_bench.options import CompleteOptions
from recmerge_bench.running.context import Context, with_text


def run(context: Context) -> dict[str, Any]:
    """Every metric of ``config["metrics"]`` of each domain that has test targets.

    The record's report has ``lists``: domain -> metric -> value.
    """
    split, config = context.split(), context.config
    name = MASKED_LISTS if config["masked"] else LISTS
    lists = read_lists(context.inputs["rank"] / name, len(split.test))
    values: dict[str, dict[str, float]] = {}
    for asked in config["metrics"]:
        metric = CompleteOptions.read(asked).definition()
        for domain, own, catalogue in _domains(context, split, lists, asked):
            values.setdefault(domain, {})[asked["name"]] = list_value_of(metric, own, catalogue)
    return {"lists": values}


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
