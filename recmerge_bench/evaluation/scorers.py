"""From a model to scores: user vectors without padding, a block of scores at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from recmerge_bench.borders.models import (
    check_items,
    check_scores,
    check_user_scores,
    check_users,
    history_limit,
)
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.evaluation.loaded import FittedModel, LoadedModel, Rankable
from recmerge_bench.evaluation.ranking import ScoreBlock

#: Events encoded at once.
_TOKENS = {"cpu": 1 << 13, "cuda": 1 << 18}
#: Groups of equal length smaller than this are joined with slightly longer ones.
_FEW = 32


@contextmanager
def scoring(
    model: Rankable, split: Split, instances: Instances, catalogue: Catalogue
) -> Iterator[ScoreBlock]:
    """What gives a model's scores, block by block, for as long as the context lasts.

    A net is in evaluation mode meanwhile and left in the mode that it was in. Scores carry no
    gradients.

    Args:
        model: all instances are of domains that it serves.
        split: whose sequences hold the histories.
        instances: what is ranked; every history holds an event.
        catalogue: the items.

    Yields:
        see `ScoreBlock`. It raises a ValueError for an instance without history.
    """
    if isinstance(model, FittedModel):
        yield partial(_fitted_scores, model, split, instances, catalogue)
        return
    was_training = model.net.training
    model.net.eval()
    try:
        with torch.inference_mode():
            if model.definition.scores_are_products():
                yield _NetScorer(model, split, instances, catalogue)
            else:
                yield partial(_whole_scores, model, split, instances, catalogue)
    finally:
        model.net.train(was_training)


def _fitted_scores(
    model: FittedModel,
    split: Split,
    instances: Instances,
    catalogue: Catalogue,
    rows: np.ndarray,
    domain: str,
) -> np.ndarray:
    starts = split.sequences.offsets[instances.sequence[rows]]
    ends = starts + instances.position[rows]
    histories = [split.sequences.items[a:b] for a, b in zip(starts, ends, strict=True)]
    scores = model.definition.scores(model.state, histories, catalogue, domain)
    size = catalogue.size(domain)
    return np.ascontiguousarray(check_scores(model.definition, scores, len(rows), size, domain))


def _whole_scores(
    model: LoadedModel,
    split: Split,
    instances: Instances,
    catalogue: Catalogue,
    rows: np.ndarray,
    domain: str,
) -> Tensor:
    """Of a model whose scores are no products: it is run for the block."""
    definition, size = model.definition, catalogue.size(domain)
    limit = history_limit(definition, "encoded_history")
    scores, place = torch.empty(len(rows), size, device=model.device), np.argsort(rows)
    for part, histories, lengths in history_batches(
        split, instances, rows, limit, tokens_at_once(model.device)
    ):
        given = [torch.from_numpy(a).to(model.device) for a in (histories, lengths)]
        made = definition.scores(model.net, given[0], given[1], domain)
        made = check_user_scores(definition, made, len(part), size, domain, model.device)
        at = place[np.searchsorted(rows, part, sorter=place)]
        scores[torch.from_numpy(at).to(model.device)] = made.to(scores.dtype)
    return scores


class _NetScorer:
    """Scores of blocks; a domain's items and users are encoded when it is first asked for."""

    def __init__(
        self, model: LoadedModel, split: Split, instances: Instances, catalogue: Catalogue
    ) -> None:
        self.definition, self.net, self.device = model.definition, model.net, model.device
        self.catalogue = catalogue
        self.split, self.instances = split, instances
        self.domain = ""
        self.slot = np.zeros(len(instances), np.int64)
        self.users = self.buffer = torch.empty(0, device=self.device)

    def __call__(self, rows: np.ndarray, domain: str) -> Tensor:
        if domain != self.domain:
            self.domain = domain
            self.items, self.bias = check_items(
                self.definition,
                self.definition.items(self.net, domain),
                domain,
                self.catalogue.size(domain),
                self.device,
            )
            self._encode_all(rows[0], domain)
        picked = torch.from_numpy(self.slot[rows]).to(self.device)
        users = self.users[picked]
        # One buffer for all blocks: fresh pages would cost as much as the product.
        cells = len(rows) * len(self.items)
        if self.buffer.numel() < cells or self.buffer.dtype != users.dtype:
            self.buffer = users.new_empty(cells)
        scores = self.buffer[:cells].view(len(rows), len(self.items))
        if self.bias is None:
            return torch.mm(users, self.items.T, out=scores)
        return torch.addmm(self.bias, users, self.items.T, out=scores)

    def _encode_all(self, one: int, domain: str) -> None:
        """Vectors of all instances of the domain of instance `one`."""
        rows = np.flatnonzero(self.instances.domains == self.instances.domains[one])
        self.slot[rows] = np.arange(len(rows))
        limit = history_limit(self.definition, "encoded_history")
        for part, histories, lengths in history_batches(
            self.split, self.instances, rows, limit, tokens_at_once(self.device)
        ):
            encoded = self.definition.encode(
                self.net,
                torch.from_numpy(histories).to(self.device),
                torch.from_numpy(lengths).to(self.device),
                domain,
            )
            width = self.items.shape[1]
            vectors = check_users(self.definition, encoded, len(part), width).to(self.items.dtype)
            if self.users.shape != (len(rows), vectors.shape[1]):
                self.users = vectors.new_empty((len(rows), vectors.shape[1]))
            self.users[torch.from_numpy(self.slot[part]).to(self.device)] = vectors


def tokens_at_once(device: torch.device) -> int:
    """Events that fit in one batch of `history_batches`."""
    return _TOKENS.get(device.type, 1 << 13)


def history_batches(
    split: Split, instances: Instances, rows: np.ndarray, limit: int, tokens: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Histories in batches of equal or nearly equal length.

    Args:
        split: whose sequences hold the histories.
        instances: what to rank.
        rows: of the instances.
        limit: latest events to keep.
        tokens: events in a batch.

    Yields:
        rows of the instances int64 [B]; histories int64 [B, L], right-padded by repeating the
        last event; lengths int64 [B].

    Raises:
        ValueError: an instance without history.
    """
    position = instances.position[rows].astype(np.int64)
    if (position < 1).any():
        raise ValueError("an instance without history cannot be encoded")
    lengths = np.minimum(position, limit)
    order = np.argsort(lengths, kind="stable")
    rows, lengths, position = rows[order], lengths[order], position[order]
    starts = split.sequences.offsets[instances.sequence[rows]] + position - lengths
    for first, last in _spans(lengths, tokens):
        own = lengths[first:last]
        steps = np.minimum(np.arange(own[-1]), own[:, None] - 1)
        histories = split.sequences.items[starts[first:last, None] + steps].astype(np.int64)
        yield rows[first:last], histories, own


def _spans(lengths: np.ndarray, tokens: int) -> Iterator[tuple[int, int]]:
    """Cuts of ascending lengths: equal ones together, few ones with slightly longer ones."""
    first = 0
    while first < len(lengths):
        shortest = int(lengths[first])
        last = int(np.searchsorted(lengths, shortest, side="right"))
        if last - first < _FEW:
            near = int(np.searchsorted(lengths, shortest * 1.25, side="right"))
            last = max(last, min(near, first + _FEW))
        last = min(last, first + max(1, tokens // int(lengths[last - 1])))
        yield first, last
        first = last
