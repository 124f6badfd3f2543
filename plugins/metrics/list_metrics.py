"""Coverage, Gini index, novelty and intra-list distance of the first k items; ``coverage@10``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recmerge_bench.api import (
    DomainCatalogue,
    ListMetricDefinition,
    MetricSpec,
    Spec,
    hookimpl,
)

#: Entries of pairs of vectors that are compared at once.
_AT_ONCE = 1 << 22


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Four metrics of lists."""
    return [
        MetricSpec(
            "coverage", f"{__name__}:Coverage",
            "share of the domain's items that stand in some user's first k; higher: more of the "
            "catalogue is shown",
            citation="Ge, Delgado-Battenfeld and Jannach, Beyond accuracy, RecSys 2010",
        ),
        MetricSpec(
            "Gini", f"{__name__}:Gini",
            "Gini index of how often each item stands in the first k; 0: all equally often, near "
            "1: few items have all places",
            citation="Shani and Gunawardana, Evaluating recommendation systems, 2011, section 8.3",
        ),
        MetricSpec(
            "novelty", f"{__name__}:Novelty",
            "mean self-information of the first k in bits, by training events; lower: more popular "
            "items",
            citation="Vargas and Castells, Rank and relevance in novelty and diversity, "
            "RecSys 2011; Zhou et al., PNAS 107 (2010)",
        ),
        MetricSpec(
            "ILD", f"{__name__}:IntraListDistance",
            "mean cosine distance of the texts of two items of one list of k; higher: more diverse",
            citation="Smyth and McClave, Similarity vs. diversity, ICCBR 2001; Ziegler et al., "
            "Improving recommendation lists through topic diversification, WWW 2005",
        ),
    ]  # fmt: skip


def shown(items: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int64]:
    """How many lists each item stands in: int64 [N]."""
    return np.bincount(items[items >= 0], minlength=size).astype(np.int64)


class Coverage(ListMetricDefinition):
    """Distinct items of all lists, divided by the items of the domain."""

    def value(self, items: npt.NDArray[np.int32], catalogue: DomainCatalogue) -> float:
        """See `ListMetricDefinition.value`."""
        return float((shown(items, catalogue.size) > 0).mean())


class Gini(ListMetricDefinition):
    """``sum((2 i - N - 1) p_i) / (N sum(p))``, p ascending: places of each of the N items.

    Items without any place count, as in RecBole's ``GiniIndex``; 0 where no list has an item.
    """

    def value(self, items: npt.NDArray[np.int32], catalogue: DomainCatalogue) -> float:
        """See `ListMetricDefinition.value`."""
        places, n = np.sort(shown(items, catalogue.size)), catalogue.size
        weights = 2 * np.arange(1, n + 1) - n - 1
        return float(weights @ places / (n * max(int(places.sum()), 1)))


class Novelty(ListMetricDefinition):
    """Mean over the places of ``-log2 p``, ``p = (c + 1) / (C + N)``.

    c are the item's training events and C those of the domain's N items; one is added to each, so
    that items without events have a finite value. A list without items has 0.
    """

    def value(
        self, items: npt.NDArray[np.int32], catalogue: DomainCatalogue
    ) -> npt.NDArray[np.float64]:
        """See `ListMetricDefinition.value`."""
        counts = catalogue.counts.astype(np.float64) + 1.0
        bits = np.log2(counts.sum()) - np.log2(counts)
        there = items >= 0
        sums = np.where(there, bits[np.where(there, items, 0)], 0.0).sum(1)
        return np.asarray(sums / np.maximum(there.sum(1), 1), np.float64)


@dataclass(frozen=True)
class DistanceOptions:
    """Options of ILD.

    Attributes:
        encoder: of the items' texts.
    """

    encoder: str = "hashed-words"


class IntraListDistance(ListMetricDefinition):
    """Mean over the pairs of a list of 1 - cosine of their text vectors.

    A vector of zeros has distance 1 to all others; a list of fewer than two items has 0.
    """

    Options = DistanceOptions

    def text_encoder(self) -> str:
        """The option's."""
        return str(self.options.encoder)

    def value(
        self, items: npt.NDArray[np.int32], catalogue: DomainCatalogue
    ) -> npt.NDArray[np.float64]:
        """See `ListMetricDefinition.value`."""
        assert catalogue.vectors is not None
        vectors = catalogue.vectors.astype(np.float64)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        units = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
        step = max(1, _AT_ONCE // max(1, items.shape[1] * units.shape[1]))
        parts = [_distances(units, items[i : i + step]) for i in range(0, len(items), step)]
        return np.concatenate(parts) if parts else np.zeros(0)


def _distances(
    units: npt.NDArray[np.float64], items: npt.NDArray[np.int32]
) -> npt.NDArray[np.float64]:
    """Of each list, float64 [T]: the squared length of the sum of unit vectors holds all cosines.

    ``|sum u|^2 = sum |u|^2 + 2 * (sum of the cosines of all pairs)``.
    """
    there = items >= 0
    own = units[np.where(there, items, 0)] * there[:, :, None]
    sums = own.sum(1)
    cosines = ((sums * sums).sum(1) - (own * own).sum((1, 2))) / 2
    n = there.sum(1)
    pairs = n * (n - 1) / 2
    return np.asarray(np.where(pairs > 0, 1.0 - cosines / np.maximum(pairs, 1), 0.0), np.float64)
