"""Raw files that a run may fetch by itself: small ones, of datasets that say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.options import CompleteOptions
from recmerge_bench.planning.cells import Plan
from recmerge_bench.registry import Registry
from recmerge_bench.specs import DatasetSpec


def fetch_small(
    plan: Plan, registry: Registry, data_root: Path | None, say: Callable[[str], None]
) -> bool:
    """Fetch missing raw files of datasets that say `run` may; whether anything came.

    What cannot be had leaves its cells blocked.
    """
    came = False
    specs = [s for s in registry.specs.values() if isinstance(s, DatasetSpec) and s.fetched_by_run]
    automatic = {spec.target: spec.name for spec in specs}
    missing = [c for c in plan.cells.values() if c.kind == "data" and c.blocked]
    for dataset in dict.fromkeys(c.job["config"].get("dataset") for c in missing):
        if not isinstance(dataset, CompleteOptions) or dataset.target not in automatic:
            continue
        say(f"fetching the raw files of {automatic[dataset.target]}")
        try:
            dataset.definition().fetch(data_root, None)
            came = True
        except HandledError as error:
            say(f"not fetched: {error}")
    return came
