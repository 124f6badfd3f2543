"""First items of rankings, and the items of their domains -> values of list metrics, by domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recmerge_bench.borders.metrics import list_value_of, text_encoder_of
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.definitions import DomainCatalogue, ListMetricDefinition
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.top_lists import NO_ITEM


class NoTexts(HandledError):
    """A metric compares the texts of items, and those of a domain have none."""


@dataclass(frozen=True)
class RankedLists:
    """First items of rankings, of which metrics are made.

    Attributes:
        items: int32 [T, k], global items, best first; `NO_ITEM` behind the last.
        test: the T instances.
        split: whose training parts tell how popular an item is.
        domains: a value is made of each of them that has instances.
    """

    items: NDArray[np.int32]
    test: Instances
    split: Split
    domains: Sequence[str]

    def values(
        self, metric: ListMetricDefinition, k: int, catalogue: Catalogue
    ) -> dict[str, float]:
        """A metric by domain.

        Args:
            metric: of lists.
            k: items of each list that it sees.
            catalogue: the items, with their vectors where the metric reads them.

        Raises:
            NoTexts: it compares texts, and no item of a domain has one.
            PluginError: it gave something else than a finite number.
        """
        values: dict[str, float] = {}
        counts = np.bincount(self.split.sequences.training()[1], minlength=catalogue.n_items)
        for domain in self.domains:
            of_domain = self.test.domains == catalogue.domains.index(domain)
            if not of_domain.any():
                continue
            own_items = _of_domain(catalogue, domain, counts.astype(np.int64))
            if text_encoder_of(metric) and not any(own_items.texts):
                raise NoTexts(f"no item texts in '{domain}'")
            lists = np.array(self.items[of_domain, :k])
            lists[lists != NO_ITEM] -= catalogue.span(domain).start
            values[domain] = list_value_of(metric, lists, own_items)
        return values


def _of_domain(catalogue: Catalogue, domain: str, counts: NDArray[np.int64]) -> DomainCatalogue:
    span, vectors = catalogue.span(domain), catalogue.vectors
    return DomainCatalogue(
        domain, catalogue.tokens[span], catalogue.texts[span], counts[span],
        None if vectors is None else np.asarray(vectors[span], np.float32),
    )  # fmt: skip
