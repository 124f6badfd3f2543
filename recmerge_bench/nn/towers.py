"""One encoder as user tower and item tower: both are sequences of item tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.errors import HandledError
from recmerge_bench.nn.text import token_batches


@dataclass(frozen=True)
class TokenGrid:
    """Token sequences of several users or items, right-padded.

    Attributes:
        ids: int64 [B, L].
        real: bool [B, L].
        kinds: int64 [B, L]: 0 a special token, 1 an attribute's name, 2 its value, 3 padding.
        places: int64 [B, L]: 0 a special token, 1 the most recent item, 2 the one before, ...
    """

    ids: Tensor
    real: Tensor
    kinds: Tensor
    places: Tensor


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

    def grid(self, histories: Sequence[np.ndarray]) -> TokenGrid:
        """Tokens of histories (global items, oldest first), newest item first.

        An item by itself is the history of one event.
        """
        about = self.tokens.about
        joiner = about.get("joiner") or []
        ends = [] if about.get("last") is None else [int(about["last"])]
        rows = [self._row(h[-self.max_items :][::-1], joiner, ends) for h in histories]
        size = max(len(ids) for ids, _, _ in rows)
        ids = np.full((len(rows), size), int(about["pad"] or 0), np.int64)
        kinds = np.full((len(rows), size), 3, np.int64)
        places = np.zeros((len(rows), size), np.int64)
        for n, (own, kind, place) in enumerate(rows):
            ids[n, : len(own)], kinds[n, : len(own)], places[n, : len(own)] = own, kind, place
        device = next(self.encoder.parameters()).device
        real = np.arange(size) < np.array([len(own) for own, _, _ in rows])[:, None]
        found = (torch.from_numpy(a).to(device) for a in (ids, real, kinds, places))
        return TokenGrid(*found)

    def _row(
        self, items: np.ndarray, joiner: list[int], ends: list[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens, kinds and places of one sequence."""
        t = self.tokens
        spans = [slice(int(t.offsets[i]), int(t.offsets[i + 1])) for i in items]
        ids, kinds, places = [[int(t.about["first"] or 0)]], [[0]], [[0]]
        for place, span in enumerate(spans, 1):
            if place > 1 and joiner:
                ids.append(joiner)
                kinds.append([2] * len(joiner))
                places.append([place - 1] * len(joiner))
            ids.append(t.ids[span])  # type: ignore[arg-type]
            kinds.append(t.kinds[span])  # type: ignore[arg-type]
            places.append([place] * (span.stop - span.start))
        room = self.max_tokens - len(ends)
        whole = [np.concatenate(x)[:room] for x in (ids, kinds, places)]
        return (
            np.concatenate([whole[0], np.array(ends, np.int64)]),
            np.concatenate([whole[1], np.zeros(len(ends), np.int64)]),
            np.concatenate([whole[2], np.zeros(len(ends), np.int64)]),
        )

    def forward(self, histories: Sequence[np.ndarray]) -> Tensor:
        """Vectors of length one [B, width], in one batch."""
        return F.normalize(self.encoder(self.grid(histories)), dim=-1)

    def all(self, histories: Sequence[np.ndarray]) -> Tensor:
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


def rows_of(histories: Tensor, lengths: Tensor) -> list[np.ndarray]:
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
