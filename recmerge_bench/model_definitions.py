"""What a plugin defines of a model: trained by gradient, or fitted in one pass over counts.

No torch import here, as in `recmerge_bench.definitions`, which has these classes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Batch, Split
from recmerge_bench.definition import Definition

if TYPE_CHECKING:
    from torch import Tensor, nn


class Backbone(Definition):
    """A sequence model trained by gradient: single-domain backbones and CDSR models alike.

    Parameters of the module that `build` returns are named so that `policy` can tell what merges.
    The item table of domain d is the parameter ``tables.<d>`` ([items of d, width]).
    """

    #: parameter-name prefix -> what merging does with it: "merge", "domain" (kept per domain),
    #: "base" or "drop"; the longest matching prefix wins, "merge" where none matches.
    policy: ClassVar[Mapping[str, str]] = {"tables.": "domain"}

    def text_encoder(self) -> str | None:
        """Name of the encoder whose ``catalogue.vectors`` (or ``.tokens``) `build` needs."""
        return None

    def trains_encoder(self) -> bool:
        """Whether it reads the encoder's tokens and starts from its weights, not its vectors."""
        return False

    def starts_from_encoder(self) -> bool:
        """Whether its shared base is, or is trained from, the encoder's weights."""
        return self.trains_encoder()

    def from_encoder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's weights under this model's parameter names (the shared base).

        Raises:
            HandledError: they do not fit.
        """
        raise NotImplementedError

    def prepare(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Arrays that the module needs of the training parts (a graph of items, say), by name.

        Computed from ``split.sequences.training()`` alone: held-out events are not for it. The
        core lays them, right after `build`, into the module as the buffers ``prepared.<name>``
        (``net.prepared.<name>`` to the module), which are stored with the weights; ranking takes
        them from there and needs no split. Strategies that run a model while merging build it
        without these arrays: models that merge need them in `loss` alone, and say so by a policy
        that drops ``prepared.``; ranking then does without them too.

        Args:
            split: whose training parts are looked at.
            catalogue: the items.
            domains: those that `build` gets.

        Returns:
            Names without dots -> arrays. None, where it is not overridden.
        """
        return {}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """Make the module for these domains with its initial values, drawn from `seed` alone."""
        raise NotImplementedError

    def build_for(
        self, target: str, catalogue: Catalogue, domains: Sequence[str], seed: int
    ) -> nn.Module:
        """`build` for a model of one target domain, whose spec says ``single_target``.

        The core calls it in the place of `build`, once for each target domain. The module has to
        remember its target: `loss`, `encode` and `items` are handed the module. Where nothing is
        built otherwise for a target, this is `build`.

        Args:
            target: the domain whose next items the model is for; one of `domains`.
            catalogue: as in `build`.
            domains: as in `build`, all that its sequences have events of.
            seed: as in `build`.
        """
        return self.build(catalogue, domains, seed)

    def loss(self, net: nn.Module, batch: Batch) -> tuple[Tensor, int]:
        """Mean loss of a batch (a scalar) and the number of training targets in it."""
        raise NotImplementedError

    def encode(self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """User vectors [B, width] for asking for a next item of `domain`.

        Args:
            net: the module.
            histories: int64 [B, L], global item numbers, right-padded, oldest first.
            lengths: int64 [B], all at least 1.
            domain: the target's domain.
        """
        raise NotImplementedError

    def items(self, net: nn.Module, domain: str) -> tuple[Tensor, Tensor | None]:
        """Item vectors [items of the domain, width] and a bias [items] or None; score = u·v + b."""
        raise NotImplementedError

    def scores(self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """Scores of all items of a domain for some users; a higher one ranks before.

        As it stands, u·v + b of `encode` and `items`. A model whose score is no such product (it
        generates items piece by piece, say) overrides this in the place of those two, and is
        ranked a block of users at a time. Gradients pass, where they are asked for.

        Args:
            net: the module.
            histories: as in `encode`.
            lengths: as in `encode`.
            domain: whose items.

        Returns:
            Float [B, items of the domain], finite.
        """
        table, bias = self.items(net, domain)
        scores = self.encode(net, histories, lengths, domain) @ table.T
        return scores if bias is None else scores + bias

    def scores_are_products(self) -> bool:
        """Whether scores are u·v + b of `encode` and `items`: `scores` is not overridden."""
        return type(self).scores is Backbone.scores

    def max_history(self) -> int:
        """The number of latest events that training windows hold and `encode` looks at."""
        raise NotImplementedError

    def encoded_history(self) -> int:
        """The number of latest events that `encode` is handed: `max_history`.

        For models that choose among more events than a window holds.
        """
        return self.max_history()

    def probe(
        self, net: nn.Module, histories: Tensor, lengths: Tensor, domain: str
    ) -> Mapping[str, Tensor]:
        """Named quantities by user, such as gates; their means at test go to the rank's record.

        Args:
            net: the module.
            histories: as in `encode`.
            lengths: as in `encode`.
            domain: the target's domain.

        Returns:
            One float tensor for each name, with one finite value for each user that has the
            quantity ([B] where all have it). Nothing by default.
        """
        return {}


class CountingModel(Definition):
    """A recommender fitted in one pass over counts (popularity, item-kNN): numpy only."""

    def fit(
        self, split: Split, catalogue: Catalogue, domains: Sequence[str]
    ) -> dict[str, npt.NDArray[Any]]:
        """Arrays that `scores` needs, from the training parts alone."""
        raise NotImplementedError

    def scores(
        self,
        state: Mapping[str, npt.NDArray[Any]],
        histories: Sequence[npt.NDArray[np.integer[Any]]],
        catalogue: Catalogue,
        domain: str,
    ) -> npt.NDArray[np.float32]:
        """float32 [B, items of the domain] for a block of histories (global items, in time)."""
        raise NotImplementedError


__all__ = ["Backbone", "CountingModel"]
