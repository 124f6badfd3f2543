"""Users whose preferences a merge is made to keep: models are run for them, without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.definitions import Backbone
from recmerge_bench.seeds import mixed


class Users:
    """Models and the users that they are run for, by domain.

    Args:
        definition: the backbone.
        catalogue: the items.
        kept: what each domain keeps for itself (its item table): domain -> named tensors.
        seed: of the run.
        device: where models go.

    Attributes:
        domains: those of `kept`.
        read: what was asked for, for the record.
    """

    def __init__(
        self,
        definition: Backbone,
        catalogue: Catalogue,
        kept: Mapping[str, Mapping[str, Tensor]],
        seed: int,
        device: str = "cpu",
    ) -> None:
        self._definition, self._catalogue, self._kept = definition, catalogue, kept
        self._seed, self._device = seed, torch.device(device)
        self.domains: tuple[str, ...] = tuple(kept)
        self.read: set[str] = set()

    @property
    def have_vectors(self) -> bool:
        """Whether scores are products of vectors; if not, a user's scores stand in their place."""
        return self._definition.scores_are_products()

    def size(self, domain: str) -> int:
        """Users of a domain."""
        raise NotImplementedError

    def own(self, domain: str, rows: Tensor) -> Tensor:
        """Each user's latest item, as a row of the domain's items: int64 [B].

        Args:
            domain: whose users.
            rows: int64 [B], from 0 to the domain's size.
        """
        raise NotImplementedError

    def encode(self, net: nn.Module, domain: str, rows: Tensor) -> Tensor:
        """Vectors of users after their histories [B, width].

        Where the model has no vectors (see `have_vectors`): their scores [B, N], which `scores`
        gives back.

        Args:
            net: from `net`.
            domain: whose users.
            rows: int64 [B], from 0 to the domain's size.
        """
        raise NotImplementedError

    def _encoded(self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """What `encode` gives for histories [B, L] of global items."""
        run = self._definition.encode if self.have_vectors else self._definition.scores
        return run(net, histories, lengths, domain)

    def encode_all(self, net: nn.Module, domain: str, block: int = 1024) -> Tensor:
        """Vectors of all users of a domain [N, width], without gradients, a block at a time."""
        with torch.inference_mode():
            rows = torch.arange(self.size(domain))
            return torch.cat([self.encode(net, domain, part) for part in rows.split(block)])

    def texts(self, domain: str) -> Sequence[str]:
        """The items' texts."""
        self.read.add("item texts")
        span = self._catalogue.span(domain)
        return list(self._catalogue.texts[span.start : span.stop])

    def net(self, weights: Mapping[str, Tensor], domains: Sequence[str] | None = None) -> nn.Module:
        """The model with these weights and what the domains keep, in evaluation mode.

        Args:
            weights: the tensors that merge, all of them.
            domains: to serve; all by default.
        """
        from recmerge_bench.training.streams import load_init

        self.read.add("models run")
        domains = self.domains if domains is None else domains
        own = {n: t for d in domains for n, t in self._kept[d].items()}
        net = self._definition.build(self._catalogue, domains, self._seed)
        load_init(self._definition, net, {**own, **weights}, self._catalogue)
        return net.to(self._device).eval()

    def items(self, net: nn.Module, domain: str) -> tuple[Tensor, Tensor | None]:
        """Item vectors [N, width] and biases [N] or None; [N, 0] where the model has none."""
        if not self.have_vectors:
            return torch.empty(self._catalogue.size(domain), 0, device=self._device), None
        self.read.add("item vectors")
        return self._definition.items(net, domain)

    def scores(self, users: Tensor, items: tuple[Tensor, Tensor | None]) -> Tensor:
        """Scores [B, N] of user vectors against `items`."""
        if not self.have_vectors:
            return users
        table, bias = items
        scores = users @ table.T
        return scores if bias is None else scores + bias

    def generator(self, *words: int) -> torch.Generator:
        """Randomness named by the run's seed and these whole numbers."""
        return torch.Generator().manual_seed(mixed(self._seed, *words))
