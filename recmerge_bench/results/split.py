"""The data and the split behind a result, as they lie in a run's store, and whether they fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.data.codec import load_interactions, load_split
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.errors import DataError
from recmerge_bench.results.reader import Reader
from recmerge_bench.results.run_manifest import RunResult


def split_of(reader: Reader, result: RunResult) -> tuple[Split, Interactions]:
    """The split that a result's ranks are of, and the events that it was cut from.

    Raises:
        DataError: a file is damaged, or the split is of other users, items or domains.
        HandledError: a cell is gone, or is not as its record says.
    """
    folder = reader.store.check(reader.source(result, "split"))
    split = load_split(folder)
    interactions = load_interactions(reader.store.check(reader.source(result, "data")))
    catalogue = interactions.catalogue
    items, users, domains = len(catalogue.tokens), interactions.n_users, len(catalogue.domains)
    sequences = split.sequences
    bounds: list[tuple[NDArray[np.int32], int, int]] = [
        (sequences.items, 0, items), (sequences.users, 0, users),
        (sequences.domains, -1, domains),
        (sequences.train_end, 0, int(np.diff(sequences.offsets).max(initial=0)) + 1),
    ]  # fmt: skip
    for part in (split.valid, split.test):
        bounds += [(part.users, 0, users), (part.domains, 0, domains), (part.targets, 0, items)]
    if any(len(v) and (v.min() < least or v.max() >= end) for v, least, end in bounds):
        raise DataError("the split is of other users, items or domains than its data; run the "
                        "suite again", folder)  # fmt: skip
    if (np.asarray(sequences.train_end) > np.diff(sequences.offsets)).any():
        raise DataError("a sequence's training part is longer than itself", folder)
    return split, interactions
