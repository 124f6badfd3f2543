"""Several models that rank as one: the mean of their scores."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from recmerge_bench.definitions import Backbone


class MeanScore(Backbone):
    """Models of one definition whose scores are averaged; its net is a list of their nets.

    The mean of K scores ``u_k . v_k + b_k`` is one product of joined vectors, so that they together
    rank like any model, with vectors K times as wide. Scores that are no products are averaged
    themselves.

    Args:
        inner: what runs each of the nets (an `nn.ModuleList`).
    """

    def __init__(self, inner: Backbone) -> None:
        super().__init__(inner.options)
        self.inner = inner

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Joined user vectors, divided by the number of models: float [B, K * width]."""
        parts = [self.inner.encode(part, histories, lengths, domain) for part in net]
        return torch.cat(parts, 1) / len(parts)

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """Joined item vectors [items, K * width], and the mean bias or None."""
        tables, biases = zip(*(self.inner.items(part, domain) for part in net), strict=True)
        known = [bias for bias in biases if bias is not None]
        return torch.cat(tables, 1), sum(known) / len(tables) if known else None

    def scores(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Mean of the models' scores, also of those that are no products: [B, items]."""
        total = sum(self.inner.scores(part, histories, lengths, domain) for part in net)
        return cast(Tensor, total) / len(net)

    def scores_are_products(self) -> bool:
        """Whether the models' are."""
        return self.inner.scores_are_products()

    def max_history(self) -> int:
        """The models'."""
        return self.inner.max_history()

    def encoded_history(self) -> int:
        """The models'."""
        return self.inner.encoded_history()
