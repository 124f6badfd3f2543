"""Item-kNN: cosine of co-occurrence between items, summed over the history with decay.

Idea: Items that often occur in the same histories are alike. The score of an item is its summed
cosine similarity to the items of the history, recent ones weighing more. It only counts, and a
trained model should beat it.

Equations: the cosine of two items is the number of training sequences with both, over the root of
the product of the numbers with each plus ``shrink``. Compared with dense matrices
(tests/plugins/test_models_counting.py::test_against_dense; 1e-5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recmerge_bench.api import (
    Catalogue,
    CountingModel,
    CountingSpec,
    HandledError,
    Spec,
    Split,
    hookimpl,
)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Item-kNN."""
    return [
        CountingSpec(
            "item-knn",
            f"{__name__}:ItemKNN",
            "cosine item neighbours of the history, recent events weigh more",
            deterministic=True,
            fidelity="paper-equations",
            citation="Sarwar et al., Item-based collaborative filtering, WWW 2001",
        )
    ]


@dataclass(frozen=True)
class ItemKNNOptions:
    """Options of item-kNN.

    Attributes:
        k: neighbours kept for each item.
        decay: factor for each step into the past; 1: all events weigh alike.
        shrink: added to the cosine's denominator, against chance neighbours.
        max_history: number of latest events that are used.
    """

    k: int = 100
    decay: float = 0.8
    shrink: float = 5.0
    max_history: int = 50

    def __post_init__(self) -> None:
        if self.k < 1 or self.max_history < 1 or not 0 < self.decay <= 1 or self.shrink < 0:
            raise HandledError("item-knn: k and max_history at least 1, decay in (0, 1]")


class ItemKNN(CountingModel):
    """``cos(a, b) = sequences with both / (sqrt(with a * with b) + shrink)``."""

    Options = ItemKNNOptions

    def fit(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Neighbour rows of each domain."""
        from recmerge_bench.toolkit.models import neighbours

        offsets, items = neighbours.training_parts(split, catalogue, domains)
        n = catalogue.n_items
        owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        support = np.bincount(np.unique(owner * n + items) % n, minlength=n)
        kept: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in domains}
        for codes, counts in neighbours.co_occurrences(offsets, items, n):
            a, b = np.divmod(codes, n)
            weights = counts / (np.sqrt(support[a] * support[b]) + self.options.shrink)
            for name, parts in kept.items():
                parts.append(neighbours.strongest(codes, weights, catalogue, name, self.options.k))
        state: dict[str, np.ndarray] = {}
        for name, parts in kept.items():
            joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
            state |= neighbours.as_rows(joined[0], joined[1], catalogue, name)
        return state

    def scores(
        self,
        state: Mapping[str, np.ndarray],
        histories: Sequence[np.ndarray],
        catalogue: Catalogue,
        domain: str,
    ) -> np.ndarray:
        """See `CountingModel.scores`."""
        from recmerge_bench.toolkit.models.neighbours import add_rows

        out = np.zeros((len(histories), catalogue.size(domain)), np.float32)
        recent = [h[-self.options.max_history :] for h in histories]
        lengths = np.array([len(h) for h in recent])
        rows = np.repeat(np.arange(len(recent)), lengths)
        age = np.repeat(np.cumsum(lengths), lengths) - 1 - np.arange(len(rows))
        items = np.concatenate([np.zeros(0, np.int64), *recent]).astype(np.int64)
        add_rows(out, state, domain, rows, items, self.options.decay**age)
        return out
