"""``<suite>.curves.json``: how learned merges came about, taken over from their curve cells."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recmerge_bench import schema_numbers
from recmerge_bench.results.beside import Curve, read_curves
from recmerge_bench.results.reader import Reader
from recmerge_bench.results.run_manifest import RunManifest
from recmerge_bench.running.stage_curve import CURVE


def make_curves(reader: Reader, manifest: RunManifest) -> list[Curve]:
    """The curves of a suite that are done: measured points, and weights by domain.

    Of weights finer than a domain's, the mean over its groups is kept.
    """
    curves = []
    for result in manifest.curves:
        if not result.done:
            continue
        raw = json.loads(reader.store.file(result.key, CURVE).read_text(encoding="utf-8"))
        course = [*raw["trace"], {"step": raw["steps"], "weights": raw["weights"]}]
        weights = [{"step": c["step"], "mean": _rounded(np.mean(c["weights"], axis=1))}
                   for c in course]  # fmt: skip
        made = {
            "key": result.key, "identity": result.identity, "domains": raw["domains"],
            "groups": len(raw["groups"]), "weights": weights,
            "points": [_rounded_point(p) for p in raw["points"]],
        }  # fmt: skip
        curves.append(Curve.model_validate(made))
    return curves


def curves_json(suite: str, curves: Sequence[Curve]) -> dict[str, Any]:
    """Content of ``<suite>.curves.json``."""
    return {"schema": schema_numbers.CURVES, "suite": suite,
            "curves": [curve.to_json() for curve in curves]}  # fmt: skip


def load_curves(path: Path) -> list[Curve]:
    """The curves of a file; none where there is no file.

    Raises:
        DataError: the file is damaged or of another schema.
    """
    if not path.is_file():
        return []
    return read_curves(path)


def curves_path(records: Path) -> Path:
    """The curves beside a records file."""
    return records.with_name(f"{records.stem}.curves.json")


def _rounded_point(point: Mapping[str, Any]) -> dict[str, Any]:
    domains = {
        d: dict(zip(values, _rounded(list(values.values())), strict=True))
        for d, values in point["domains"].items()
    }
    return {"step": point["step"], "domains": domains}


def _rounded(values: Sequence[float] | NDArray[np.float64]) -> list[float]:
    """Six significant digits: a figure shows three."""
    return [float(f"{v:.6g}") for v in values]
