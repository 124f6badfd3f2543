"""Raw files that a run may fetch by itself: small ones, of datasets that say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan
from recmerge_bench.registry import Registry
from recmerge_bench.specs import DatasetSpec
from recmerge_bench.targets import define


def fetch_small(
    plan: Plan, registry: Registry, data_root: Path | None, say: Callable[[str], None]
) -> bool:
    """Fetch missing raw files of datasets that say `run` may; whether anything came.

    What cannot be had leaves its cells blocked.
    """
    came = False
    specs = [s for s in registry.specs.values() if isinstance(s, DatasetSpec) and s.fetched_by_run]
    automatic = {spec.target: spec.name for spec in specs}
    asked: list[dict[str, Any]] = []
    for cell in plan.cells.values():
        dataset = cell.job["config"].get("dataset", {}) if cell.kind == "data" else {}
        if not cell.blocked or dataset in asked or dataset.get("target") not in automatic:
            continue
        asked.append(dataset)
        say(f"fetching the raw files of {automatic[dataset['target']]}")
        try:
            define(dataset["target"], dataset["options"]).fetch(data_root, None)
            came = True
        except HandledError as error:
            say(f"not fetched: {error}")
    return came
