"""A correction of a domain's user and item vectors, kept beside a merged model (a modulator)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError

#: What adapter tensors' names begin with, where a strategy gives them beside merged ones.
PREFIX = "adapter."
NO_VECTORS = (
    "this backbone scores items without vectors of users and items; a strategy that corrects "
    "vectors has nothing to correct: take another strategy for it"
)


def corrected(vectors: Tensor, down: Tensor, up: Tensor) -> Tensor:
    """``z - up relu(down z)`` (Yang et al., Representation Surgery, ICML 2024).

    Args:
        vectors: [N, width].
        down: [rank, width].
        up: [width, rank].
    """
    return vectors - F.linear(F.relu(F.linear(vectors, down)), up)


class Adapted(Backbone):
    """A model whose user and item vectors are corrected before they are compared.

    Args:
        inner: the model.
        adapter: ``adapter.down`` [rank, width] and ``adapter.up`` [width, rank].

    Raises:
        HandledError: other names, shapes that do not belong together, or a model without vectors.
    """

    def __init__(self, inner: Backbone, adapter: Mapping[str, Tensor]) -> None:
        super().__init__(inner.options)
        if set(adapter) != {PREFIX + "down", PREFIX + "up"}:
            raise HandledError(f"an adapter has down and up, not {', '.join(sorted(adapter))}")
        if not inner.scores_are_products():
            raise HandledError(NO_VECTORS)
        self.inner, self.down, self.up = inner, adapter[PREFIX + "down"], adapter[PREFIX + "up"]
        if self.down.shape != self.up.T.shape:
            raise HandledError(
                f"adapter: down is {tuple(self.down.shape)}, up is {tuple(self.up.shape)}"
            )

    def encode(self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Corrected user vectors."""
        return self._corrected(self.inner.encode(net, histories, lengths, domain))

    def items(self, net: nn.Module, domain: str) -> tuple[Tensor, Tensor | None]:
        """Corrected item vectors; the bias as it was."""
        table, bias = self.inner.items(net, domain)
        return self._corrected(table), bias

    def max_history(self) -> int:
        """The model's."""
        return self.inner.max_history()

    def encoded_history(self) -> int:
        """The model's."""
        return self.inner.encoded_history()

    def _corrected(self, vectors: Tensor) -> Tensor:
        return corrected(vectors, self.down.to(vectors), self.up.to(vectors))
