"""Merge by the median of the experts, entry by entry."""

from recmerge_bench.api import MergeInput, Spec, StrategyDefinition, StrategySpec, hookimpl


class Median(StrategyDefinition):
    def merge(self, given: MergeInput) -> dict:
        import torch

        return {
            name: torch.stack([e.weights[name] for e in given.experts]).median(0).values
            for name in given.base
        }


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    target = f"{__name__}:Median"
    return [StrategySpec("median", target, "entrywise median", inputs=("base", "experts"))]
