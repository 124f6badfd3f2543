"""A model with its values: all that ranking, probing and measuring it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.definitions import Backbone, CountingModel


@dataclass(frozen=True)
class LoadedModel:
    """A net that can rank.

    Attributes:
        definition: what runs it; with an adapter over it, where a merge gave one.
        net: its module, on `device`.
        domains: that the net was built for.
        target: the one of them whose targets it ranks, such as the domain that a single-target
            model was built for (`Backbone.build_for`); None: all of them.
        device: where `net` lies.

    Raises:
        ValueError: the target is not among the domains.
    """

    definition: Backbone
    net: nn.Module
    domains: tuple[str, ...]
    target: str | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def __post_init__(self) -> None:
        if self.target is not None and self.target not in self.domains:
            raise ValueError(f"the target '{self.target}' is not among {', '.join(self.domains)}")

    @property
    def serves(self) -> tuple[str, ...]:
        """The domains whose targets it ranks."""
        return self.domains if self.target is None else (self.target,)


@dataclass(frozen=True)
class FittedModel:
    """A counting model and the arrays that it was fitted to.

    Attributes:
        definition: what scores with them.
        state: arrays by name, see `CountingModel.fit`.
        domains: whose targets it ranks.
    """

    definition: CountingModel
    state: Mapping[str, np.ndarray]
    domains: tuple[str, ...]

    @property
    def serves(self) -> tuple[str, ...]:
        """The domains whose targets it ranks."""
        return self.domains


def build(
    definition: Backbone,
    catalogue: Catalogue,
    domains: Sequence[str],
    seed: int,
    target: str | None = None,
) -> nn.Module:
    """The model's module with its initial values, for one target domain where one is given."""
    if target is None:
        return definition.build(catalogue, domains, seed)
    return definition.build_for(target, catalogue, domains, seed)


#: What `rank_split` takes.
Rankable = LoadedModel | FittedModel
