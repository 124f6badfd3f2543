"""One model trained on one phase of time after the other: what merging phases competes with.

Idea: The usual practice over time is to train the same model further on each new phase. Nothing
is merged: it is what merging the phases' models has to compete with. It pays with what the model
forgets of earlier phases.
"""

from __future__ import annotations

from recmerge_bench.api import Check, Spec, StrategyDefinition, StrategySpec, hookimpl


class Passthrough(StrategyDefinition):
    """Nothing is merged: the trained model is evaluated as it is."""


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``continue-training``."""
    return [
        StrategySpec(
            name="continue-training",
            target=f"{__name__}:Passthrough",
            summary="One model trained on one phase after the other",
            checks=(
                Check(
                    "own: its own cell is ranked, which starts from the phase before",
                    "tests/planning/test_temporal_tracks.py::"
                    "test_continued_starts_from_the_phase_before",
                    "same cell",
                ),
            ),
            inputs=("continued",),
            passthrough=True,
            tier="T4",
        )
    ]
