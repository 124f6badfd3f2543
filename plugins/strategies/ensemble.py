"""The mean score of all experts: what merging would have to reach, at as many models' cost.

Idea: All experts score an item, and their scores are averaged. Nothing is merged, so serving
costs as much as all the experts together. It is a reference for what a merge of the same experts
could reach.

Each expert scores the items of the domain in question with the vectors that the domain keeps for
itself (its own expert's), so that only what would be merged differs. Raw scores are averaged:
cosines where a model gives cosines, else dot products, whose sizes may differ between experts.
"""

from __future__ import annotations

from recmerge_bench.api import Check, Spec, StrategyDefinition, StrategySpec, hookimpl


class Passthrough(StrategyDefinition):
    """Nothing is merged: the trained models are evaluated together as they are."""


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``ensemble``."""
    return [
        StrategySpec(
            name="ensemble",
            target=f"{__name__}:Passthrough",
            summary="The mean score of all experts: a reference as large as all of them",
            checks=(
                Check(
                    "own: ranks of the mean of the experts' scores, worked out apart",
                    "tests/plugins/test_ensemble.py::test_ranks_are_those_of_the_mean_score",
                    "same ranks",
                ),
            ),
            inputs=("experts",),
            passthrough=True,
            mean_score=True,
            tier="T0",
        )
    ]
