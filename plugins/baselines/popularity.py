"""Most popular items first: the floor that every model must beat.

Idea: Everyone gets the same list: the items with the most training events. It reads no history.
It is the floor that every model must be above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recmerge_bench.api import Catalogue, CountingModel, CountingSpec, Spec, Split, hookimpl


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Popularity."""
    return [
        CountingSpec(
            "popularity",
            f"{__name__}:Popularity",
            "items by their number of training events",
            deterministic=True,
        )
    ]


class Popularity(CountingModel):
    """The same ranking for everyone."""

    def fit(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """``counts`` int64 [items of all domains]."""
        from recmerge_bench.toolkit.models.neighbours import training_parts

        _, items = training_parts(split, catalogue, domains)
        return {"counts": np.bincount(items, minlength=catalogue.n_items).astype(np.int64)}

    def scores(
        self,
        state: Mapping[str, np.ndarray],
        histories: Sequence[np.ndarray],
        catalogue: Catalogue,
        domain: str,
    ) -> np.ndarray:
        """See `CountingModel.scores`."""
        counts = state["counts"][catalogue.span(domain)].astype(np.float32)
        return np.repeat(counts[None], len(histories), axis=0)
