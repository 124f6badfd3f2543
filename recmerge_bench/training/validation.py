"""NDCG@10 or MRR on validation instances, by full ranking with mid-ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.evaluation.metrics import mrr, ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.scorers import rank_with_net


class Validator:
    """Validates a net on the validation instances of some domains.

    Args:
        definition: the model.
        catalogue: the items.
        split: whose `valid` is used.
        domains: domains to validate on.
        limit: at most this many instances of each domain, evenly spread; 0: all; -1: none.
        metric: ``NDCG@10`` or ``MRR``.
    """

    def __init__(
        self,
        definition: Backbone,
        catalogue: Catalogue,
        split: Split,
        domains: Sequence[str],
        limit: int,
        metric: str = "NDCG@10",
    ) -> None:
        self.metric = metric
        self.definition, self.catalogue, self.split = definition, catalogue, split
        chosen = [] if limit < 0 else [self._rows(name, limit) for name in domains]
        rows = np.concatenate([np.zeros(0, np.int64), *chosen])
        self.instances = split.valid.take(rows)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to validate on."""
        return len(self.instances) == 0

    def __call__(self, net: nn.Module, device: torch.device) -> dict[str, float]:
        """The metric of each domain that has instances.

        Raises:
            FloatingPointError: a score is not a finite number.
        """
        counts = rank_with_net(
            self.definition,
            net,
            self.split,
            self.instances,
            self.catalogue,
            [Ranking()],
            device=device,
        )[0]
        ranks = rank(*counts)
        values = mrr(ranks, None) if self.metric == "MRR" else ndcg(ranks, 10)
        numbers = self.instances.domains
        return {
            self.catalogue.domains[d]: float(values[numbers == d].mean())
            for d in np.unique(numbers)
        }

    def _rows(self, domain: str, limit: int) -> np.ndarray:
        rows = np.flatnonzero(self.split.valid.domains == self.catalogue.domains.index(domain))
        if 0 < limit < len(rows):
            rows = rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]
        return rows
