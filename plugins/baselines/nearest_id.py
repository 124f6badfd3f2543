"""Nearest item number: the item whose number lies next to that of the user's last one.

Idea: It is a check of the data, not a recommender. It guesses the item whose number is next to
the last one's. Where that works, item numbers give away the order of events.

A check of the data, not a recommender: item numbers often follow raw ids, and where events of one
day are sorted by raw id, the next item's number tells more than it should.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recmerge_bench.api import Catalogue, CountingModel, CountingSpec, Spec, Split, hookimpl


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Nearest item number."""
    return [
        CountingSpec(
            "nearest-id",
            f"{__name__}:NearestId",
            "items by the distance of their number from the last item of the domain",
            deterministic=True,
        )
    ]


class NearestId(CountingModel):
    """``-|item - last item of the domain|``; the last item itself comes last of all."""

    def fit(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Nothing is learned; ``offsets`` int64 [domains + 1] says what the numbers mean."""
        return {"offsets": np.asarray(catalogue.domain_offsets, np.int64)}

    def scores(
        self,
        state: Mapping[str, np.ndarray],
        histories: Sequence[np.ndarray],
        catalogue: Catalogue,
        domain: str,
    ) -> np.ndarray:
        """See `CountingModel.scores`; without an event of the domain all items tie."""
        span = catalogue.span(domain)
        items = np.arange(span.start, span.stop)
        out = np.zeros((len(histories), len(items)), np.float32)
        for row, history in enumerate(histories):
            own = history[(history >= span.start) & (history < span.stop)]
            if len(own):
                last = int(own[-1])
                out[row] = -np.abs(items - last)
                out[row, last - span.start] = -len(items)
        return out
