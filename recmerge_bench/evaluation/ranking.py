"""Ranks by counting, over streamed blocks of scores; never a matrix of users by items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Instances, Split

#: (rows of the instances int64 [b], domain) -> float32 [b, items of the domain], which the
#: caller may overwrite.
ScoreBlock = Callable[[np.ndarray, str], "Tensor | np.ndarray"]
Counts = tuple[np.ndarray, np.ndarray]

#: Scores of one block, and what is compared at once.
BLOCK_BYTES = 64 << 20
_SLICE_BYTES = 1 << 20


@dataclass(frozen=True)
class Ranking:
    """Against what a target is ranked.

    Attributes:
        candidates: int32 [T, n], global items, or None for all items of the target's domain.
        mask_history: take the items of the history, other than the target, out.
    """

    candidates: np.ndarray | None = None
    mask_history: bool = False


def count_many(
    score_block: ScoreBlock,
    instances: Instances,
    split: Split,
    catalogue: Catalogue,
    rankings: Sequence[Ranking],
    block_bytes: int = BLOCK_BYTES,
) -> list[Counts]:
    """Count the items scored above and equal to each target, for each of several rankings.

    The scores are passed over once. A target's score is read from the same block as the others',
    so that equal arithmetic makes equal scores; the target itself is in neither count.

    Args:
        score_block: see `ScoreBlock`.
        instances: what to rank.
        split: whose sequences hold the histories.
        catalogue: the items.
        rankings: against what; one pair of counts each.
        block_bytes: memory of a block of scores.

    Returns:
        n_better int32 [T] and n_equal int32 [T] of each ranking.

    Raises:
        FloatingPointError: a score is NaN or infinite.
    """
    out = np.zeros((len(rankings), 2, len(instances)), np.int32)
    for domain, rows in blocks(instances, catalogue, block_bytes):
        scores = torch.as_tensor(score_block(rows, domain))
        check_finite(scores, domain)
        block = _Block(scores, rows, instances, catalogue.span(domain), split)
        for i, counts in block.all_counts(rankings):
            out[i, :, rows] = counts.T
    return [(pair[0], pair[1]) for pair in out]


def blocks(
    instances: Instances, catalogue: Catalogue, block_bytes: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Rows of the instances, by domain, few enough for a block."""
    for number, domain in enumerate(catalogue.domains):
        rows = np.flatnonzero(instances.domains == number)
        size = max(1, block_bytes // (4 * max(catalogue.size(domain), 1)))
        for first in range(0, len(rows), size):
            yield domain, rows[first : first + size]


class _Block:
    """Scores of some instances over all items of one domain."""

    def __init__(
        self, scores: Tensor, rows: np.ndarray, instances: Instances, span: slice, split: Split
    ) -> None:
        self.scores, self.rows, self.instances, self.span = scores, rows, instances, span
        self.split = split
        self.targets = instances.targets[rows].astype(np.int64) - span.start
        at = torch.from_numpy(self.targets)[:, None].to(scores.device)
        self.own = scores.gather(1, at).clone()

    def all_counts(self, rankings: Sequence[Ranking]) -> Iterator[tuple[int, np.ndarray]]:
        """Number of each ranking, and its n_better and n_equal: int32 [2, b]."""
        full = {i: r.mask_history for i, r in enumerate(rankings) if r.candidates is None}
        sampled = {i: r for i, r in enumerate(rankings) if r.candidates is not None}
        yield from self._full_counts(full)
        for masked in (False, True):  # masking writes into the scores
            chosen = [i for i, r in sampled.items() if r.mask_history is masked]
            if masked and chosen:
                self.mask_histories()
            for i in chosen:
                yield i, self.rank_counts(sampled[i].candidates)

    def _full_counts(self, masked: Mapping[int, bool]) -> Iterator[tuple[int, np.ndarray]]:
        """Full rankings, masked or not, from one comparison of all scores."""
        if not masked:
            return
        whole = self.rank_counts(None)
        past = self.history_counts() if any(masked.values()) else np.zeros_like(whole)
        for i, mask in masked.items():
            yield i, whole - past if mask else whole

    def rank_counts(self, candidates: np.ndarray | None) -> np.ndarray:
        """n_better and n_equal: int32 [2, b]."""
        if candidates is None:
            better, equal = _compare(self.scores, self.own)
            return np.stack([better, equal - 1])
        picked = candidates[self.rows].astype(np.int64) - self.span.start
        index = torch.from_numpy(picked).to(self.scores.device)
        better, equal = _compare(self.scores.gather(1, index), self.own)
        return np.stack([better, equal - (picked == self.targets[:, None]).sum(1)])

    def history_counts(self) -> np.ndarray:
        """The same among the items of each history alone, each once: int32 [2, b]."""
        row, item = self._past()
        pairs = np.unique(row * (self.span.stop - self.span.start) + item)
        row, item = np.divmod(pairs, self.span.stop - self.span.start)
        at = torch.from_numpy(row).to(self.scores.device)
        scores = self.scores[at, torch.from_numpy(item).to(self.scores.device)]
        own = self.own[at, 0]
        return np.stack([
            np.bincount(row[mark.cpu().numpy()], minlength=len(self.rows)).astype(np.int32)
            for mark in (scores > own, scores == own)
        ])  # fmt: skip

    def mask_histories(self) -> None:
        """Give the histories' items, other than the targets, the least score."""
        at = (torch.from_numpy(a).to(self.scores.device) for a in self._past())
        self.scores[tuple(at)] = -torch.inf

    def _past(self) -> tuple[np.ndarray, np.ndarray]:
        return past_events(self.split, self.instances, self.rows, self.span)


def past_events(
    split: Split, instances: Instances, rows: np.ndarray, span: slice
) -> tuple[np.ndarray, np.ndarray]:
    """What a protocol that masks histories takes out of the rankings of some instances.

    Events of other domains, and those of a row's own target, are left out: a target that its user
    had before is ranked.

    Args:
        split: whose sequences hold the histories.
        instances: of one domain at least in these rows.
        rows: of the instances, int64 [b].
        span: of the domain's items.

    Returns:
        For each event, place in `rows` and item of the domain (from 0): int64 [E] both.
    """
    lengths = instances.position[rows].astype(np.int64)
    starts = split.sequences.offsets[instances.sequence[rows]]
    row = np.repeat(np.arange(len(rows)), lengths)
    within = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    item = split.sequences.items[starts[row] + within].astype(np.int64) - span.start
    targets = instances.targets[rows].astype(np.int64) - span.start
    inside = (item >= 0) & (item < span.stop - span.start)
    keep = inside & (item != targets[row])
    return row[keep], item[keep]


def _compare(scores: Tensor, own: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """How many of each row are above and equal to its own score: int32 [b] each.

    Summed as float32, several times faster than summing booleans and exact below 2**24 items;
    a few rows at a time, so that on a processor both comparisons find them in its cache.
    """
    step = len(scores)
    if scores.device.type == "cpu":
        step = max(1, _SLICE_BYTES // (4 * scores.shape[1]))
    exact = torch.float64 if scores.shape[1] >= 1 << 24 else torch.float32
    buffer = torch.empty(
        (min(step, len(scores)), scores.shape[1]), dtype=exact, device=scores.device
    )
    out = torch.empty((2, len(scores)), dtype=exact, device=scores.device)
    for first in range(0, len(scores), step):
        part, limit = scores[first : first + step], own[first : first + step]
        for row, compare in enumerate((torch.gt, torch.eq)):
            marks = compare(part, limit, out=buffer[: len(part)])
            torch.sum(marks, 1, out=out[row, first : first + step])
    above, same = out.cpu().numpy().astype(np.int32)
    return above, same


def check_finite(scores: Tensor, domain: str) -> None:
    """Refuse scores that cannot be ranked.

    One cheap sum shows any NaN or infinity; huge scores may make it one without any.

    Raises:
        FloatingPointError: a score is NaN or infinite.
    """
    if not torch.isfinite(scores.sum(1).sum()) and not torch.isfinite(scores).all():
        raise FloatingPointError(
            f"domain {domain!r}: scores are NaN or infinite, so nothing can be ranked"
        )
