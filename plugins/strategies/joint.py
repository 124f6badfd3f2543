"""One model trained on all domains' training parts, shuffled in proportion.

Idea: One model is trained on the data of all domains together. Nothing is merged, and the data of
all domains have to be in one place. It is what merging hopes to come near without moving data.
"""

from __future__ import annotations

from recmerge_bench.api import Check, Spec, StrategyDefinition, StrategySpec, hookimpl


class Passthrough(StrategyDefinition):
    """Nothing is merged: the trained model is evaluated as it is."""


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``joint``."""
    return [
        StrategySpec(
            name="joint",
            target=f"{__name__}:Passthrough",
            summary="One model trained on all domains' training parts, shuffled in proportion",
            checks=(
                Check(
                    "own: the joint model's own cell is ranked",
                    ""
                    "tests/plugins/test_strategy_checks.py::test_what_is_passed_through_is_the_trained_model",
                    "same cell",
                ),
            ),
            inputs=("joint",),
            passthrough=True,
            tier="T4",
        )
    ]
