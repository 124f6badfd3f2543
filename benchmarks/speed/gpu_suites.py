"""Stages of `gpu.py` that run a suite: what is done when the time is up stays, and is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from recmerge_bench.interface.plans import planned
from recmerge_bench.interface.plugins import registry_of
from recmerge_bench.interface.runs import run
from recmerge_bench.planning.cells import Cell
from recmerge_bench.report.publishing.finish import build
from recmerge_bench.running.manifest import write_manifest
from recmerge_bench.running.scheduler import Outcome, todo
from recmerge_bench.running.store import Store
from recmerge_bench.training import checkpoint

HERE = Path(__file__).resolve().parent
#: What a rehearsal changes: generated data, a few steps, single precision, small nets.
_SYNTHETIC = {"dataset": "synthetic", "domains": ["d0", "d1"], "paper": None}
_SIZES = {"users": 60, "items": 40, "n_domains": 2}
_SMALL: dict[str, dict[str, Any]] = {
    "gpu-cdsr": {
        **_SYNTHETIC,
        "dataset_options": _SIZES,
        "protocols": ["mixed-capped-999", "mixed"],
        "training": {"steps": 3, "epochs": 0, "eval_every": 2, "batch_size": 16},
        "models": {
            "merit": {"options": {"width": 16}},
            "abxi": {"options": {"width": 16, "domain_rank": 4, "invariant_rank": 4}},
        },
        "profile": None,
    },
    "gpu-text": {
        **_SYNTHETIC,
        "dataset_options": _SIZES,
        "protocols": ["loo"],
        "training": {"steps": 3, "epochs": 0, "eval_every": 2, "batch_size": 16},
        "backbones": {
            "sasrec-text": {"options": {"encoder": "hashed-words", "width": 16, "max_len": 10}}
        },
    },
}


def suite(name: str, small: bool, seeds: int = 0) -> dict[str, Any]:
    """Keys of a suite that lies beside this file; of its rehearsal where it is `small`.

    Args:
        name: of the suite.
        small: see above.
        seeds: how many of its seeds, the first; 0: all.
    """
    keys: dict[str, Any] = yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8"))
    keys["seeds"] = keys["seeds"][: seeds or None]
    if not small:
        return keys
    tracks = {}
    for title, track in keys["tracks"].items():
        merged = {k: v for k, v in {**track, **_SMALL[name]}.items() if v is not None}
        tracks[title] = {**merged, "rows": [_short(row) for row in track["rows"]]}
    return {**keys, "label": "smoke", "seeds": [0], "tracks": tracks}


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose own training goes, and whose learned merge takes four steps."""
    options = {**row.get("options", {}), **({"steps": 4} if "granularity" in str(row) else {})}
    kept = {k: v for k, v in row.items() if k not in ("training", "options")}
    return {**kept, **({"options": options} if options else {})}


def go(keys: dict[str, Any], out: Path, device: str, jobs: int, root: Path | None) -> None:
    """Run a suite as far as it comes."""
    run(keys, out=out, device=device, jobs=jobs, data_root=root, progress=False)


def collect(keys: dict[str, Any], out: Path, root: Path | None) -> dict[str, Any]:
    """What a run has left, ended or not; its boards and records are written from what is whole.

    Args:
        keys: of the suite.
        out: the run's folder.
        root: of the data.

    Returns:
        by training cell's label: seconds, targets a second, steps, epochs, the validations so far
        and whether it is whole; and how many results of how many there are.
    """
    registry = registry_of(())
    plan, store = planned(keys, registry, data_root=root), Store(out.resolve())
    start = todo(plan, store)
    outcome = Outcome(cached=start.done)
    write_manifest(plan, store, outcome, f"recmerge-bench run --suite {keys['name']}.yaml")
    build(store.out, store.out / "boards", store.out / "records", registry, plan.suite)
    trainings = {
        cell.label: _training(cell, store) for cell in plan.cells.values() if cell.kind == "train"
    }
    done = [r for r in plan.results if r.key in start.done]
    return {
        "results": len(done),
        "of": len(plan.results),
        "trainings": {label: t for label, t in trainings.items() if t is not None},
    }


def _training(cell: Cell, store: Store) -> dict[str, Any] | None:
    """How far a training is; None where it has not begun, or left nothing yet."""
    if store.has(cell.key):
        return {"whole": True, **_facts(store.record(cell.key)["report"])}
    state = checkpoint.load(store.work(cell.key))
    return None if state is None else {"whole": False, **_facts(state[1]["progress"])}


def _facts(report: dict[str, Any]) -> dict[str, Any]:
    names = ("step", "steps", "epoch", "epochs", "targets", "seconds", "best_step", "best_valid")
    return {n: report[n] for n in names if n in report} | {"history": report.get("history", [])}
