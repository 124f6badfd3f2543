"""Each domain's own expert: the reference, 100 percent.

Idea: Every domain is served by the expert that was trained for it. Nothing is merged, so that one
model for each domain has to be kept. The boards take it as 100 per cent.
"""

from __future__ import annotations

from recmerge_bench.api import Check, Spec, StrategyDefinition, StrategySpec, hookimpl


class Passthrough(StrategyDefinition):
    """Nothing is merged: the trained model is evaluated as it is."""


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``fine-tune``."""
    return [
        StrategySpec(
            name="fine-tune",
            target=f"{__name__}:Passthrough",
            summary="Each domain's own expert: the reference, 100 percent",
            checks=(
                Check(
                    "own: the experts' own cells are ranked",
                    ""
                    "tests/plugins/test_strategy_checks.py::test_what_is_passed_through_is_the_trained_model",
                    "same cell",
                ),
            ),
            inputs=("experts",),
            passthrough=True,
            tier="T4",
        )
    ]
