"""What the distribution registers; light, since it is imported for every command."""

from __future__ import annotations

from pathlib import Path

from recmerge_bench.api import MetricSpec, Spec, StrategySpec, hookimpl

RECMERGE_BENCH_API = "1.0"


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """A strategy and a metric, each in a module of its own."""
    return [
        StrategySpec(
            "short-experts",
            "recmerge_bench_sample.strategy:ShortExperts",
            "mean of the experts that stayed nearest to the base",
            inputs=("base", "experts"),
            requires=("sortedcontainers",),
        ),
        MetricSpec("Top1", "recmerge_bench_sample.metric:Top1", "share of targets ranked first"),
    ]


@hookimpl
def recmerge_bench_suites() -> list[Path]:
    """The suite ``sample``."""
    return [Path(__file__).parent / "suites"]
