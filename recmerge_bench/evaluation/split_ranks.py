"""The one path from models and a split to a table of ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.errors import HandledError
from recmerge_bench.evaluation.loaded import Rankable
from recmerge_bench.evaluation.ranking import (
    BLOCK_BYTES,
    Counts,
    Ranking,
    ScoreBlock,
    count_many,
)
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.evaluation.scorers import scoring
from recmerge_bench.evaluation.shuffling import shuffled, window_of
from recmerge_bench.gpu_products import products

#: (rows of the instances int64 [b], domain, scores [b, items of the domain]): looks at scores
#: before they are ranked, and changes nothing in them.
Watch = Callable[[np.ndarray, str, Tensor], None]


def rank_split(
    models: Iterable[Rankable],
    split: Split,
    catalogue: Catalogue,
    ranking: Ranking | None = None,
    instances: Instances | None = None,
    *,
    facts: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
    shuffle_seed: int | None = None,
) -> RankTable:
    """Rank every instance with the model that serves its domain.

    Args:
        models: taken one by one: a generator that loads them holds one at a time. No two serve
            one domain.
        split: whose sequences hold the histories.
        catalogue: the items.
        ranking: against what; its candidates are aligned with `instances`. All items of the
            target's domain where it is not given.
        instances: what to rank; the split's test targets where they are not given. Every history
            holds an event.
        facts: JSON facts for `RankTable.about`.
        watch: see `Watch`.
        shuffle_seed: histories are read in a random order of this seed, by each model the items
            that it would read in the true one (see `recmerge_bench.evaluation.shuffling`).

    Returns:
        a row for each instance, in their order.

    Raises:
        FloatingPointError: a score is NaN or infinite.
        HandledError: a domain of the instances has no model, or two.
        ValueError: an instance without history.
    """
    rankings = [ranking or Ranking()]
    return rank_under(
        models, split, catalogue, rankings, instances,
        facts=facts, watch=watch, shuffle_seed=shuffle_seed,
    )[0]  # fmt: skip


def rank_under(
    models: Iterable[Rankable],
    split: Split,
    catalogue: Catalogue,
    rankings: Sequence[Ranking],
    instances: Instances | None = None,
    *,
    facts: Mapping[str, Any] | None = None,
    watch: Watch | None = None,
    shuffle_seed: int | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> list[RankTable]:
    """`rank_split` under several protocols that split alike, from one pass over the scores.

    Scores are computed in whole fp32, whatever a training rounds.

    Args:
        models: see `rank_split`.
        split: see there.
        catalogue: see there.
        rankings: a table is made for each.
        instances: see `rank_split`.
        facts: of every table.
        watch: see `Watch`.
        shuffle_seed: see `rank_split`.
        block_bytes: memory of a block of scores.
    """
    instances = split.test if instances is None else instances
    work = _Pass(split, catalogue, rankings, instances, watch, shuffle_seed, block_bytes)
    rank_counts = np.zeros((len(rankings), 2, len(instances)), np.int32)
    ranked = np.zeros(len(instances), bool)
    for model in models:
        rows = work.rows_of(model)
        if ranked[rows].any():
            raise HandledError(f"two models serve one of the domains {', '.join(model.serves)}")
        ranked[rows] = True
        with products():
            rank_counts[:, :, rows] = np.array(work.rank_counts(model, rows))
    if not ranked.all():
        missing = [catalogue.domains[d] for d in np.unique(instances.domains[~ranked])]
        raise HandledError(f"no model serves the domain {' and '.join(missing)}")
    return [
        RankTable(
            instances.users, catalogue.domains, instances.domains.astype(np.int32),
            instances.targets, better, equal, dict(facts or {}),
        )
        for better, equal in rank_counts
    ]  # fmt: skip


@dataclass(frozen=True)
class _Pass:
    """One pass over the instances: what does not change from model to model."""

    split: Split
    catalogue: Catalogue
    rankings: Sequence[Ranking]
    instances: Instances
    watch: Watch | None
    shuffle_seed: int | None
    block_bytes: int

    def rows_of(self, model: Rankable) -> np.ndarray:
        """Instances of the domains that a model serves: int64 [R]."""
        numbers = [self.catalogue.domains.index(domain) for domain in model.serves]
        return np.flatnonzero(np.isin(self.instances.domains, numbers))

    def rank_counts(self, model: Rankable, rows: np.ndarray) -> list[Counts]:
        """Of these instances, for each ranking."""
        split, instances, rankings = self.split, self.instances, self.rankings
        if len(rows) < len(instances):
            instances = instances.take(rows)
            rankings = [_of_rows(ranking, rows) for ranking in rankings]
        if self.shuffle_seed is not None:
            split, instances = shuffled(split, instances, self.shuffle_seed, window_of(model))
        with scoring(model, split, instances, self.catalogue) as scores:
            return count_many(
                scores if self.watch is None else _watched(scores, rows, self.watch),
                instances, split, self.catalogue, rankings, self.block_bytes,
            )  # fmt: skip


def _of_rows(ranking: Ranking, rows: np.ndarray) -> Ranking:
    if ranking.candidates is None:
        return ranking
    return replace(ranking, candidates=ranking.candidates[rows])


def _watched(scores: ScoreBlock, rows: np.ndarray, watch: Watch) -> ScoreBlock:
    def block(own: np.ndarray, domain: str) -> Tensor:
        block_scores = torch.as_tensor(scores(own, domain))
        watch(rows[own], domain, block_scores)
        return block_scores

    return block
