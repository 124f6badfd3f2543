"""Datasets: domains and files at the plan, events when they are loaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from recmerge_bench.blame import wrong
from recmerge_bench.borders.arrays import (
    Fault,
    check_array,
    check_offsets,
    check_range,
    check_texts,
)
from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.definitions import DatasetDefinition, TextEncoder


def domains_of(dataset: DatasetDefinition, data_root: Path | None) -> tuple[str, ...]:
    """`DatasetDefinition.domains`, checked.

    Raises:
        PluginError: they are no distinct, non-empty texts.
    """
    names = dataset.domains(data_root)
    whole = isinstance(names, (tuple, list)) and all(isinstance(d, str) and d for d in names)
    if not whole or not names or len(set(names)) < len(names):
        raise wrong(dataset, "domains", f"gave {names!r}; it gives distinct names")
    return tuple(names)


def sources_of(owner: DatasetDefinition | TextEncoder, data_root: Path | None) -> list[Path]:
    """``sources`` of a dataset or an encoder, checked.

    Raises:
        Blocked: a file is missing.
        PluginError: it names something that is no file.
    """
    paths = owner.sources(data_root)
    if not isinstance(paths, (list, tuple)):
        raise wrong(owner, "sources", f"gave {paths!r}; it gives a list of paths")
    for path in paths:
        if not isinstance(path, Path) or not path.is_file():
            fault = f"names {path}, which is no file: raise Blocked where one is missing"
            raise wrong(owner, "sources", fault)
    return list(paths)


def loaded(dataset: DatasetDefinition, data_root: Path | None) -> Interactions:
    """`DatasetDefinition.load`, checked.

    Raises:
        PluginError: it is not what `Interactions` says.
    """
    interactions = dataset.load(data_root)
    fault = partial(wrong, dataset, "load")
    if not isinstance(interactions, Interactions):
        raise fault(f"gave {type(interactions).__name__}; it gives Interactions")
    _check_catalogue(fault, interactions.catalogue, domains_of(dataset, data_root))
    items = check_array(fault, "items", interactions.items, np.int32, (None,))
    offsets = check_offsets(fault, "offsets", interactions.offsets, None, len(items))
    times = check_array(fault, "times", interactions.times, np.int64, (len(items),))
    check_range(fault, "items", items, interactions.catalogue.n_items)
    check_texts(fault, "user_tokens", interactions.user_tokens, len(offsets) - 1, distinct=True)
    back = np.diff(times) < 0
    back[offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < len(times))] - 1] = False
    if back.any():
        raise fault("gave a user's events out of the order of their times")
    report = interactions.report
    if not isinstance(report, dict) or not all(
        isinstance(k, str) and isinstance(v, int) for k, v in report.items()
    ):
        raise fault("gave a report that is not names with whole numbers")
    return interactions


def _check_catalogue(fault: Fault, catalogue: object, promised: tuple[str, ...]) -> None:
    if not isinstance(catalogue, Catalogue):
        raise fault(f"gave {type(catalogue).__name__} as catalogue; it is a Catalogue")
    if sorted(catalogue.domains) != sorted(promised):
        raise fault(f"gave the domains {catalogue.domains}; domains() promises {promised}")
    check_offsets(
        fault, "domain_offsets", catalogue.domain_offsets, len(promised), len(catalogue.tokens)
    )
    start = 0
    for domain, end in zip(catalogue.domains, catalogue.domain_offsets[1:].tolist(), strict=True):
        own = catalogue.tokens[start:end]
        check_texts(fault, f"tokens of '{domain}'", own, end - start, distinct=True)
        start = end
    check_texts(fault, "texts", catalogue.texts, catalogue.n_items)
