"""The first items of rankings, kept from the pass that ranks: what list metrics are made of.

Items are in the order of their scores; equal scores are in the order of the items' numbers, the
smaller first, so that a list is the same from any device, block size and sorting routine.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.errors import DataError
from recmerge_bench.evaluation.ranking import check_finite, past_events

#: A rank cell's lists: as the model ranks all items, and without those of the history.
LISTS, MASKED_LISTS = "lists.npy", "lists-masked.npy"
#: Where a ranking has no more items.
NO_ITEM = -1
#: Scores whose ties at a list's end are resolved at once.
_AT_ONCE = 1 << 20


class TopLists:
    """Keeps the first items of all instances; a `recmerge_bench.evaluation.split_ranks.Watch`.

    Attributes:
        plain: int32 [T, k], global items by rank; `NO_ITEM` where the domain has no more.
        masked: the same without the items of the history (other than the target).

    Args:
        split: whose sequences hold the histories.
        instances: what is ranked.
        catalogue: the items.
        k: length of the lists.
    """

    def __init__(self, split: Split, instances: Instances, catalogue: Catalogue, k: int) -> None:
        self.split, self.instances, self.catalogue, self.k = split, instances, catalogue, k
        self.plain = np.full((len(instances), k), NO_ITEM, np.int32)
        self.masked = self.plain.copy()

    def __call__(self, rows: NDArray[np.int64], domain: str, scores: Tensor) -> None:
        """Keep those of a block of scores [b, items of the domain].

        Raises:
            FloatingPointError: a score is NaN or infinite.
        """
        check_finite(scores, domain)
        span = self.catalogue.span(domain)
        self.plain[rows] = _numbered(first_items(scores, self.k), span.start)
        past = past_events(self.split, self.instances, rows, span)
        at = tuple(torch.from_numpy(index).to(scores.device) for index in past)
        true_scores = scores[at]
        scores[at] = -torch.inf
        self.masked[rows] = _numbered(first_items(scores, self.k), span.start)
        scores[at] = true_scores


def first_items(scores: Tensor, k: int) -> NDArray[np.int64]:
    """Columns of the k highest scores of each row, see the module for their order.

    Args:
        scores: floats [b, N] without NaN; -inf is no candidate.
        k: from 1.

    Returns:
        int64 [b, k], `NO_ITEM` where a row has fewer candidates.
    """
    values, columns = torch.topk(scores, min(k + 1, scores.shape[1]), dim=1)
    if scores.shape[1] > k:
        for rows in _tied_at_end(values, scores.shape[1]):
            columns[rows, :k] = _smallest_numbers(scores[rows], values[rows, k - 1 : k], k)
            values[rows, :k] = scores[rows].gather(1, columns[rows, :k])
    columns, order = columns[:, :k].sort(dim=1)
    values = values[:, :k].gather(1, order)
    values, order = values.sort(dim=1, descending=True, stable=True)
    ordered = columns.gather(1, order).masked_fill(values == -torch.inf, NO_ITEM)
    out = np.full((len(scores), k), NO_ITEM, np.int64)
    out[:, : ordered.shape[1]] = ordered.cpu().numpy()
    return out


def _tied_at_end(values: Tensor, items: int) -> tuple[Tensor, ...]:
    """Rows, some at a time, whose last item of the list has an equal that is not in it."""
    tied = (values[:, -1] == values[:, -2]) & (values[:, -1] > -torch.inf)
    return tied.nonzero()[:, 0].split(max(1, _AT_ONCE // items))


def _smallest_numbers(scores: Tensor, limit: Tensor, k: int) -> Tensor:
    """Columns above the limit, and as many equal to it, from the first, as make k: int64 [b, k]."""
    above, level = scores > limit, scores == limit
    wanted = k - above.sum(1, keepdim=True)
    chosen = above | (level & (level.cumsum(1, dtype=torch.int32) <= wanted))
    return chosen.nonzero()[:, 1].view(len(scores), k)


def _numbered(columns: NDArray[np.int64], first: int) -> NDArray[np.int32]:
    """Global item numbers of a domain's columns."""
    return np.where(columns == NO_ITEM, NO_ITEM, columns + first).astype(np.int32)


def read_lists(path: Path, instances: int) -> NDArray[np.int32]:
    """Stored lists, memory-mapped: int32 [T, k].

    Raises:
        DataError: not such a file, or of another number of instances.
    """
    try:
        lists: NDArray[np.int32] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"no lists of items ({error})", path) from None
    if lists.dtype != np.int32 or lists.ndim != 2 or len(lists) != instances:
        raise DataError(
            f"{lists.dtype} {lists.shape} are no lists of {instances} test targets; run the suite "
            "again", path,
        )  # fmt: skip
    return lists
