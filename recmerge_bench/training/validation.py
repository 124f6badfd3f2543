"""A metric on validation instances, ranked as the protocol ranks those of the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.evaluation.loaded import LoadedModel
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.split_ranks import rank_split


@dataclass(frozen=True)
class Selection:
    """What tells the better weights.

    Attributes:
        name: ``METRIC@PROTOCOL``, see `TrainOptions.select`.
        metric: ranks float64 [T] -> values float64 [T].
        ranking: against what targets are ranked; its candidates are aligned with the split's
            ``valid``.
        facts: JSON facts for the record and for telling one training from another.
    """

    name: str
    metric: Callable[[np.ndarray], np.ndarray]
    ranking: Ranking = field(default_factory=Ranking)
    facts: Mapping[str, Any] = field(default_factory=dict)


#: Where nobody says otherwise.
FULL = Selection("NDCG@10", partial(ndcg, k=10))


class Validator:
    """Validates a model on the validation instances of some domains.

    Args:
        catalogue: the items.
        split: whose `valid` is used.
        domains: domains to validate on.
        limit: at most this many instances of each domain, evenly spread; 0: all; -1: none.
        selection: the metric, and against what targets are ranked.

    Raises:
        ValueError: there are not as many rows of candidates as validation instances.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        split: Split,
        domains: Sequence[str],
        limit: int,
        selection: Selection = FULL,
    ) -> None:
        self.metric = selection.metric
        self.catalogue, self.split = catalogue, split
        chosen = [] if limit < 0 else [self._rows(name, limit) for name in domains]
        rows = np.concatenate([np.zeros(0, np.int64), *chosen])
        self.instances = split.valid.take(rows)
        candidates = selection.ranking.candidates
        if candidates is not None and len(candidates) != len(split.valid):
            raise ValueError(
                f"{len(candidates)} rows of candidates for {len(split.valid)} validation targets"
            )
        drawn = None if candidates is None else np.asarray(candidates[rows])
        self.ranking = Ranking(drawn, selection.ranking.mask_history)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to validate on."""
        return len(self.instances) == 0

    def __call__(self, model: LoadedModel) -> dict[str, float]:
        """The metric of each domain that has instances; the model serves all of them.

        Raises:
            FloatingPointError: a score is not a finite number.
        """
        table = rank_split([model], self.split, self.catalogue, self.ranking, self.instances)
        values = self.metric(rank(table.n_better, table.n_equal))
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
