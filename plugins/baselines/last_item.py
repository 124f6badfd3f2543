"""Last-item co-occurrence: what followed the last item most often in training.

Idea: The next item is most often one that followed the last item before. Transitions from the
last item are counted, and popularity decides between equals. It only counts, and a trained model
should beat it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recmerge_bench.api import Catalogue, CountingModel, CountingSpec, Spec, Split, hookimpl


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Last-item transitions."""
    return [
        CountingSpec(
            "last-item",
            f"{__name__}:LastItem",
            "transition counts from the last item, popularity between equals",
            deterministic=True,
        )
    ]


class LastItem(CountingModel):
    """First-order transitions; popularity, below one count in all, breaks ties."""

    def fit(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Rows of transition counts of each domain, and ``counts`` int64 [items]."""
        from recmerge_bench.toolkit.models import neighbours

        offsets, items = neighbours.training_parts(split, catalogue, domains)
        n = catalogue.n_items
        before, after = neighbours.consecutive_pairs(offsets, items)
        codes, times = np.unique(before * n + after, return_counts=True)
        state = {"counts": np.bincount(items, minlength=n).astype(np.int64)}
        for name in domains:
            weights = times.astype(np.float64)
            state |= neighbours.keep_strongest(codes, weights, catalogue, name, 0)
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

        counts = state["counts"][catalogue.span(domain)]
        # At most 1/2, and its steps stay apart from a count's rounding in float32.
        tie = 0.5 * counts / max(int(counts.max(initial=0)), 1)
        out = np.repeat(tie.astype(np.float32)[None], len(histories), axis=0)
        rows = np.array([i for i, h in enumerate(histories) if len(h)], np.int64)
        items = np.array([histories[i][-1] for i in rows], np.int64)
        add_rows(out, state, domain, rows, items, np.ones(len(rows)))
        return out
