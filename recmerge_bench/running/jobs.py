"""A cell as the JSON line that a worker reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recmerge_bench.json_values import JsonObject, plain_object
from recmerge_bench.planning.cells import Cell, Plan
from recmerge_bench.running.mirror import address_of

#: Kinds whose work is reading and counting: no accelerator helps them.
_ON_CPU = ("data", "split", "candidates")


def job_spec(cell: Cell, plan: Plan, out: Path, device: str = "cpu") -> dict[str, Any]:
    """Everything a worker needs; nothing in it but `config`, `inputs` and `seed` changes bytes.

    What executors read is documented with `ExecutorDefinition`: ``key``, ``label``, ``timeout``,
    ``cost`` and ``resources``.
    """
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
        "cost": cell.cost,
        "resources": resources_of(cell, device),
        "files": plan.files,
        "hidden": sorted(plan.raw),
        "out": address_of(out),
        "device": device,
    }


def resources_of(cell: Cell, device: str) -> JsonObject:
    """What a cell needs of the machine that runs it.

    ``threads`` (CPU threads), ``memory`` (bytes that like cells took here at most; None where none
    was run) and ``gpus`` (0 or 1).
    """
    gpu = device != "cpu" and cell.kind not in _ON_CPU and not cell.job["config"].get("counting")
    return {"threads": cell.threads, "memory": cell.memory, "gpus": int(gpu)}


def config_of(cell: Cell) -> JsonObject:
    """A cell's configuration as its worker reads it."""
    return plain_object(cell.job["config"])
