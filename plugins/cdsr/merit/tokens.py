"""Tokens of right-padded sequences without the padding, and which of them attend to which.

Models of several branches work on the tokens of one domain, or of all, at a time. Here a branch
holds a flat array of its own tokens' vectors [N, width]; a grid is made for attention alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """A set of a batch's tokens, by sequence, oldest first.

    Attributes:
        flat: int64 [N], ascending: which of the batch's real tokens.
        rows: int64 [N], the sequence of each.
        at: int64 [N], its place in the sequence, the oldest event of any set having 0.
        slots: int64 [N], how many tokens of the set come before it in its sequence.
        counts: int64 [B], tokens of the set in each sequence.
        width: the largest count, at least 1.
    """

    flat: Tensor
    rows: Tensor
    at: Tensor
    slots: Tensor
    counts: Tensor
    width: int

    @classmethod
    def all(cls, lengths: Tensor, size: int) -> Tokens:
        """All real tokens of a right-padded [B, size] grid."""
        places = torch.arange(size, device=lengths.device)
        rows, at = (places < lengths[:, None]).nonzero(as_tuple=True)
        flat = torch.arange(len(rows), device=lengths.device)
        return cls(flat, rows, at, at, lengths, _widest(lengths))

    def take(self, chosen: Tensor) -> Tokens:
        """Those that `chosen` (bool [N], or ascending int64 [M]) names, as a set of its own."""
        index = chosen.nonzero().squeeze(1) if chosen.dtype == torch.bool else chosen
        rows = self.rows[index]
        counts = torch.bincount(rows, minlength=len(self.counts))
        before = counts.cumsum(0) - counts
        slots = torch.arange(len(rows), device=rows.device) - before[rows]
        return Tokens(self.flat[index], rows, self.at[index], slots, counts, _widest(counts))

    def last(self) -> Tensor:
        """Numbers in this set of each sequence's last token (sequences without one left out)."""
        return (self.counts.cumsum(0) - 1)[self.counts > 0]

    def grid(self, values: Tensor, fill: int) -> Tensor:
        """One number a token, int64 [N], as a grid [B, width]."""
        out = values.new_full((len(self.counts), self.width), fill)
        out[self.rows, self.slots] = values
        return out

    def from_end(self) -> Tensor:
        """Position counted back from the sequence's last token of the set, which has 1."""
        return self.counts[self.rows] - self.slots


@dataclass(frozen=True)
class Pattern:
    """Who attends to whom, for `SinkAttention`.

    Attributes:
        queries: the tokens that ask.
        places: int64 [K + B], cells of the [B * (1 + S)] grid of keys: those of the K keys (the
            sources' tokens, one source after the other), then the sinks'.
        width: 1 + S, keys of a sequence and its sink (the first).
        bias: [B, 1, Q, 1 + S], added to the logits: 0, -inf, or the log of the sink's count.
    """

    queries: Tokens
    places: Tensor
    width: int
    bias: Tensor


def causal_pattern(
    queries: Tokens, sources: Sequence[Tokens], padding: Tensor, dtype: torch.dtype
) -> Pattern:
    """Queries attend to the sources' tokens that are no later, and to zero vectors elsewhere.

    Each source stands for a left-padded sequence of fixed length whose places without a token
    hold zero vectors and are attended to (no key-padding mask). All these have one and the same
    key and value, the projection's biases: the sink stands for them with the log of their number
    added to its logit, which is the same softmax.

    Args:
        queries: the tokens that ask.
        sources: sets of tokens, each a sequence of its own, read one after the other.
        padding: int64 [B], places before the first token of the mixed sequence.
        dtype: of the bias.
    """
    asked = queries.grid(queries.at, -1)
    size = len(queries.counts)
    width = 1 + sum(source.width for source in sources)
    first, seen = 1, torch.zeros_like(asked)
    places, biases = [], []
    for source in sources:
        places.append(source.rows * width + first + source.slots)
        keys = source.grid(source.at, torch.iinfo(torch.int64).max)
        allowed = keys[:, None, :] <= asked[:, :, None]
        seen += allowed.sum(2)
        zeros = torch.zeros(allowed.shape, dtype=dtype, device=asked.device)
        biases.append(zeros.masked_fill_(~allowed, -torch.inf))
        first += source.width
    empty = len(sources) * (padding[:, None] + asked + 1) - seen
    empty = torch.where(asked < 0, 1, empty)  # a query that is none: anything finite
    places.append(torch.arange(size, device=asked.device) * width)
    bias = torch.cat([empty.to(dtype).log()[..., None], *biases], 2)
    return Pattern(queries, torch.cat(places), width, bias[:, None])


def union(parts: Sequence[tuple[Tokens, Tensor]]) -> Tensor:
    """Vectors of disjoint sets, in the order of the sets' union: [N, width]."""
    if len(parts) == 1:
        return parts[0][1]
    order = torch.cat([tokens.flat for tokens, _ in parts]).argsort()
    return torch.cat([values for _, values in parts]).index_select(0, order)


def _widest(counts: Tensor) -> int:
    return max(1, int(counts.max())) if len(counts) else 1
