"""What the trainings behind results report of themselves, once each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recmerge_bench.results.card_values import Training
from recmerge_bench.results.reader import Cell, Reader
from recmerge_bench.results.run_manifest import RunManifest, RunResult

#: What a training's report has to have; counting models have none of it.
NEEDED = ("epochs", "steps", "targets", "history")
#: Hex digits of a cell's key: enough to tell the trainings of a suite apart.
DIGITS = 16


def trained(reader: Reader, result: RunResult) -> dict[str, Training]:
    """Key -> report of each training behind a result, in the order of its cells."""
    return {
        key[:DIGITS]: training_of(cell)
        for key, cell in reader.keyed_cells(result)
        if cell.kind == "train" and all(name in cell.report for name in NEEDED)
    }


def all_trainings(reader: Reader, manifest: RunManifest) -> dict[str, Training]:
    """The same of all results of a suite that are done."""
    known: dict[str, Training] = {}
    for result in manifest.results:
        if result.done:
            known |= trained(reader, result)
    return dict(sorted(known.items()))


def training_of(cell: Cell) -> Training:
    """A training cell's report as records have it."""
    report = cell.report
    best = _best(report)
    return Training(
        label=cell.label,
        epochs=report["epochs"],
        steps=report["steps"],
        windows=report.get("windows"),
        targets=report["targets"],
        loss=_number(best.get("loss")),
        best_epoch=_number(best.get("epoch")),
        best_valid=_number(report.get("best_valid")),
        select=(report.get("selection") or {}).get("name", ""),
        stopped=report.get("stopped", ""),
    )


def _best(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The validation that chose the weights; empty where none did."""
    chosen = (entry for entry in report["history"] if entry["step"] == report.get("best_step"))
    return next(chosen, {})


def _number(value: float | None) -> float | None:
    """Ten significant digits, so that a last bit changes no file."""
    return None if value is None else float(f"{value:.10g}")
