"""Datasets and encoders: whether their files are here, and datasets as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.borders.datasets import loaded, sources_of
from recmerge_bench.borders.encoders import check_vectors
from recmerge_bench.contracts import definition
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import Blocked, HandledError
from recmerge_bench.planning.options import complete
from recmerge_bench.registry import Registry


@dataclass(frozen=True)
class Availability:
    """A dataset or a text encoder, and whether its files are here.

    Attributes:
        name: as suites name it.
        status: ``found``, ``generated`` (nothing is read), ``needs options``, or ``missing: ...``.
        remedy: what to do where it is neither found nor generated; else empty.
        summary: one line.
        licence: of the data or weights.
    """

    name: str
    status: str
    remedy: str
    summary: str
    licence: str


def availability(
    registry: Registry, data_root: Path | None, kind: str = "dataset"
) -> tuple[Availability, ...]:
    """Every ``dataset`` (or ``encoder``), by name."""
    rows = []
    for name in registry.names(kind):
        spec = registry.get(kind, name)
        status, remedy = "found", ""
        try:
            if not sources_of(definition(spec), data_root):
                status = "generated"
        except Blocked as missing:
            status, remedy = f"missing: {missing.reason}", missing.remedy
        except HandledError as error:
            status, remedy = "needs options", str(error)
        rows.append(Availability(name, status, remedy, spec.summary, spec.licence))
    return tuple(rows)


def load_dataset(
    registry: Registry,
    name: str | Path,
    data_root: Path | None,
    options: Mapping[str, object] | None = None,
) -> Interactions:
    """A dataset by name, or a folder of atomic files.

    Args:
        registry: the plugins.
        name: of the dataset, or the folder.
        data_root: folder of raw data, for datasets that are not bundled.
        options: of the dataset, by name; the others have their defaults.

    Raises:
        HandledError: no such dataset, a wrong option, or its data are missing.
    """
    try:
        if ("dataset", str(name)) not in registry.specs and Path(name).is_dir():
            from recmerge_bench.toolkit.data.atomic import read_folder

            return read_folder(Path(name))
        spec = registry.get("dataset", str(name))
        whole = complete(spec, options or {}, f"dataset '{name}'")
        return loaded(whole.definition(), data_root)
    except Blocked as missing:
        raise HandledError(f"{missing.reason}; {missing.remedy}") from None


def encode_texts(
    registry: Registry, name: str, texts: Sequence[str], data_root: Path | None, device: str
) -> NDArray[np.float32]:
    """Vectors of items' texts by an encoder with its defaults, as a ``text`` cell makes them.

    Args:
        registry: the plugins.
        name: of the encoder.
        texts: see `Catalogue.texts`.
        data_root: folder of raw data.
        device: ``cpu`` or ``cuda``.

    Returns:
        float32 [items, width].

    Raises:
        HandledError: no such encoder, or its files are missing.
        PluginError: it gave something else.
    """
    encoder = definition(registry.get("encoder", name))
    try:
        sources_of(encoder, data_root)
        vectors = encoder.encode(texts, data_root, device, lambda _: None)
    except Blocked as missing:
        raise HandledError(f"{missing.reason}; {missing.remedy}") from None
    return check_vectors(encoder, vectors, len(texts))
