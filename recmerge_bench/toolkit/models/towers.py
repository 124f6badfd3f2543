"""One encoder as user tower and item tower: both are sequences of item tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.errors import HandledError
from recmerge_bench.toolkit.models.text import token_batches


@dataclass(frozen=True)
class TokenGrid:
    """Token sequences of several users or items, right-padded.

    Attributes:
        ids: int64 [B, L].
        real: bool [B, L].
        kinds: int64 [B, L]: 0 a special token, 1 an attribute's name, 2 its value, 3 padding.
        places: int64 [B, L]: 0 a special token, 1 the most recent item, 2 the one before, ...
        words: int64 [B, L]: 1 where a word begins, 0 inside it; None unless asked for.
    """

    ids: Tensor
    real: Tensor
    kinds: Tensor
    places: Tensor
    words: Tensor | None = None


def _padded(rows: Sequence[NDArray[np.int64]], fill: int) -> NDArray[np.int64]:
    """Rows of different lengths one under the other, filled up at their ends: int64 [B, L]."""
    grid = np.full((len(rows), max(map(len, rows))), fill, np.int64)
    for number, row in enumerate(rows):
        grid[number, : len(row)] = row
    return grid


class TextTower(nn.Module):
    """An encoder with the catalogue's tokens at hand.

    State dict: ``encoder.*``; tokens are no part of it.

    Args:
        encoder: called with a `TokenGrid`, gives vectors [B, width].
        catalogue: the items, with ``text_tokens``.
        max_tokens: longer sequences lose their oldest tokens.
        max_items: most recent items of a user that are looked at.
        budget: padded tokens of a batch where nothing is learned.

    Raises:
        HandledError: the catalogue has no tokens.
    """

    def __init__(
        self,
        encoder: nn.Module,
        catalogue: Catalogue,
        max_tokens: int,
        max_items: int,
        budget: int = 16384,
    ) -> None:
        super().__init__()
        if catalogue.text_tokens is None:
            raise HandledError("a model of item text was given items without tokens")
        self.encoder = encoder
        self.catalogue, self.tokens = catalogue, catalogue.text_tokens
        self.max_tokens, self.max_items, self.budget = max_tokens, max_items, budget

    def grid(self, histories: Sequence[NDArray[np.integer[Any]]], words: bool = False) -> TokenGrid:
        """Tokens of histories (global items, oldest first), newest item first.

        An item by itself is the history of one event. With `words`, where words begin.

        Raises:
            HandledError: that was not stored with the tokens.
        """
        if words and self.tokens.words is None:
            raise HandledError(
                "these item tokens do not say where words begin (`ItemTokens.words`): hiding "
                "whole words needs an encoder whose `tokens` says it"
            )
        facts = self.tokens.about
        joiner = facts.get("joiner") or []
        ends = [] if facts.get("last") is None else [int(facts["last"])]
        rows = [self._row(h[-self.max_items :][::-1], joiner, ends, words) for h in histories]
        lengths = np.array([len(row[0]) for row in rows])
        fills = (int(facts["pad"] or 0), 3, 0, 1)
        columns = [
            _padded(column, fill)
            for column, fill in zip(zip(*rows, strict=True), fills, strict=False)
        ]
        device = next(self.encoder.parameters()).device
        real = torch.from_numpy(np.arange(lengths.max()) < lengths[:, None]).to(device)
        tokens, *others = (torch.from_numpy(a).to(device) for a in columns)
        return TokenGrid(tokens, real, *others)

    def _row(
        self, items: NDArray[np.integer[Any]], joiner: list[int], ends: list[int], words: bool
    ) -> list[NDArray[np.int64]]:
        """Tokens, kinds and places of one sequence, with `words` their beginnings too."""
        t = self.tokens
        spans = [slice(int(t.offsets[i]), int(t.offsets[i + 1])) for i in items]
        ids, kinds, places, starts = [[int(t.about["first"] or 0)]], [[0]], [[0]], [[1]]
        for place, span in enumerate(spans, 1):
            if place > 1 and joiner:
                ids.append(joiner)
                kinds.append([2] * len(joiner))
                places.append([place - 1] * len(joiner))
                starts.append([1] * len(joiner))
            ids.append(t.ids[span])  # type: ignore[arg-type]
            kinds.append(t.kinds[span])  # type: ignore[arg-type]
            places.append([place] * (span.stop - span.start))
            if words:
                starts.append(t.words[span])  # type: ignore[index, arg-type]
        room, size = self.max_tokens - len(ends), len(ends)
        columns = [(ids, ends), (kinds, [0] * size), (places, [0] * size)]
        if words:
            columns.append((starts, [1] * size))
        return [
            np.concatenate([np.concatenate(x)[:room], np.array(last, np.int64)])
            for x, last in columns
        ]

    def forward(self, histories: Sequence[NDArray[np.integer[Any]]]) -> Tensor:
        """Vectors of length one [B, width], in one batch."""
        return F.normalize(self.encoder(self.grid(histories)), dim=-1)

    def all(self, histories: Sequence[NDArray[np.integer[Any]]]) -> Tensor:
        """The same for many: batches of near-equal length within the token budget."""
        offsets = self.tokens.offsets
        lengths = np.array(
            [
                min(
                    self.max_tokens, 2 + int((offsets[h + 1] - offsets[h])[-self.max_items :].sum())
                )
                for h in histories
            ]
        )
        out: Tensor | None = None
        for rows in token_batches(lengths, self.budget):
            part = self([histories[r] for r in rows])
            if out is None:
                out = part.new_empty(len(histories), part.shape[1])
            out[torch.from_numpy(rows).to(part.device)] = part
        assert out is not None
        return out

    def items(self, domain: str) -> Tensor:
        """All items of a domain [N, width], each encoded once."""
        span = self.catalogue.span(domain)
        return self.all([np.array([i]) for i in range(span.start, span.stop)])


def rows_of(histories: Tensor, lengths: Tensor) -> list[NDArray[np.int64]]:
    """Right-padded global items int64 [B, L] as arrays of their lengths."""
    items, sizes = histories.cpu().numpy(), lengths.cpu().numpy()
    return [row[:n] for row, n in zip(items, sizes, strict=True)]


def in_batch_loss(
    users: Tensor, items: Tensor, targets: Tensor, temperature: float, mask: bool
) -> Tensor:
    """Cross entropy of each user's target among all targets of the batch.

    Args:
        users: [B, width], of length one.
        items: [B, width], of the targets, of length one.
        targets: int64 [B].
        temperature: divides the cosines.
        mask: leave out a user's own target where it stands in the batch a second time.
    """
    scores = users @ items.T / temperature
    if mask:
        twice = targets[:, None] == targets
        twice.fill_diagonal_(False)
        scores = scores.masked_fill(twice, -torch.inf)
    return F.cross_entropy(scores, torch.arange(len(users), device=users.device))


def first_state(states: Tensor, real: Tensor) -> Tensor:
    """The first token's state."""
    return states[:, 0]
