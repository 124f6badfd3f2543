"""A cell as the JSON line that a worker reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recmerge_bench.json_values import JsonObject, plain_object
from recmerge_bench.planning.cells import Cell, Plan


def job_spec(cell: Cell, plan: Plan, out: Path, device: str = "cpu") -> dict[str, Any]:
    """Everything a worker needs; nothing in it but `config`, `inputs` and `seed` changes bytes."""
    return {
        "key": cell.key,
        "kind": cell.kind,
        "label": cell.label,
        "config": config_of(cell),
        "plugins": cell.job["plugins"],
        "sources": cell.job["sources"],
        "inputs": dict(cell.inputs),
        "seed": cell.seed,
        "threads": cell.threads,
        "timeout": cell.timeout,
        "files": plan.files,
        "hidden": sorted(plan.raw),
        "out": str(out),
        "device": device,
    }


def config_of(cell: Cell) -> JsonObject:
    """A cell's configuration as its worker reads it."""
    return plain_object(cell.job["config"])
