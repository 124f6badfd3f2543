"""Merge the experts whose task vectors are shortest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recmerge_bench.api import Expert, HandledError, MergeInput, StrategyDefinition


@dataclass(frozen=True)
class Options:
    """Options of short-experts.

    Attributes:
        kept: how many experts are merged.
    """

    kept: int = 2

    def __post_init__(self) -> None:
        if self.kept < 1:
            raise HandledError(f"short-experts: kept={self.kept} is not positive")


class ShortExperts(StrategyDefinition):
    """The mean of the `kept` experts with the least squared distance from the base."""

    Options = Options

    def merge(self, given: MergeInput) -> dict[str, Any]:
        """See `StrategyDefinition.merge`."""
        from sortedcontainers import SortedKeyList

        def length(expert: Expert) -> float:
            parts = (
                (expert.weights[n].double() - t.double()).square().sum()
                for n, t in given.base.items()
            )
            return float(sum(parts))

        chosen = SortedKeyList(given.experts, key=length)[: self.options.kept]
        given.note("merged", [expert.domain for expert in chosen])
        return {
            name: (sum(e.weights[name].float() for e in chosen) / len(chosen)).to(tensor.dtype)
            for name, tensor in given.base.items()
        }
