"""The shared base, untouched, with each domain's initial item table.

Idea: The base that all experts start from is evaluated as it is. Nothing is trained on a domain
and nothing merged. It is the floor that experts and merges must leave behind.
"""

from __future__ import annotations

from recmerge_bench.api import Check, Spec, StrategyDefinition, StrategySpec, hookimpl


class Passthrough(StrategyDefinition):
    """Nothing is merged: the trained model is evaluated as it is."""


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``zero-shot``."""
    return [
        StrategySpec(
            name="zero-shot",
            target=f"{__name__}:Passthrough",
            summary="The shared base, untouched, with each domain's initial item table",
            checks=(
                Check(
                    "own: the base's own cell is ranked",
                    ""
                    "tests/plugins/test_strategy_checks.py::test_what_is_passed_through_is_the_trained_model",
                    "same cell",
                ),
            ),
            inputs=("base",),
            passthrough=True,
            tier="T0",
        )
    ]
