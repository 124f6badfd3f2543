"""Merges for each domain, of its expert and of models that were trained on it and one other.

No torch import here: specs are made for every command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import ClassVar

from recmerge_bench.names import repeated
from recmerge_bench.specs import Input, Kind, Spec, StrategySpec

#: What a card says of such a strategy's experts, beside its tier.
MIXED = "its hybrids are trained on data of two domains together: no isolated track admits it"


@dataclass(frozen=True)
class HybridsSpec(StrategySpec):
    """A strategy whose row is one merge for each scored domain. See `StrategySpec`.

    For a domain ``t``, `StrategyDefinition.merge` is handed the base and, as experts: for every
    other domain ``s`` that has an expert the *hybrid*, which is the base trained further on the
    data of both together (``domain`` is ``s+t``, in the track's order, and the same model serves
    the merges of both); then the expert of ``t``, last. What a domain keeps for itself, such as
    item tables, is its own expert's.

    A row's `training` is laid over that of all models that it merges, under `domain_training`. The
    merge reads weights alone (tier T0), but hybrids are trained on users' data of two domains:
    tracks that are data-isolated admit no such row.
    """

    kind: ClassVar[Kind] = "strategy"

    inputs: tuple[Input, ...] = field(default=("base", "experts"), kw_only=True)

    def __post_init__(self) -> None:
        """See `Spec`.

        Raises:
            HandledError: it passes models through, or reads more than weights.
        """
        super().__post_init__()
        if self.passthrough:
            raise self.wrong("passthrough", "of a merge of hybrids is False")
        if self.data_tier.reads:
            raise self.wrong("tier", "of a merge of hybrids is T0")


def hybrid_name(domains: Iterable[str]) -> str:
    """What the model of these domains together is called among experts: ``books+toys``."""
    return "+".join(domains)


def name_of_two(domains: Sequence[str]) -> str:
    """A name that two of these domains' experts and hybrids would have; empty where none would."""
    names = [*domains, *map(hybrid_name, combinations(domains, 2))]
    return next((names[later] for later, _ in repeated(names)), "")


def mixes_domains(spec: Spec) -> bool:
    """Whether a strategy's experts are trained on data of several domains together."""
    return isinstance(spec, HybridsSpec)


__all__ = ["MIXED", "HybridsSpec", "hybrid_name", "mixes_domains", "name_of_two"]
