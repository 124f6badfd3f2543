"""Records: what a board is rendered from, committed beside it.

``<suite>.json`` holds what two identical runs have in common, ``<suite>.cost.json`` what differs
(times, memory, dates, hardware), ``<suite>.ranks.parquet`` all ranks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.boards.results import Reader
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.running.store import write_json

SCHEMA = 1
NEEDED = ("schema", "suite", "header", "results")


def make_records(
    reader: Reader, manifest: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(records, costs) of a suite."""
    names = manifest["header"]["metrics"]
    results, costs = [], []
    for result in manifest["results"]:
        entry = {k: result[k] for k in ("key", "identity", "domains", "status", "reason", "mend")}
        if result["status"] == "done":
            entry["metrics"] = reader.by_domain(names, result)
            entry.update(_facts(reader, result))
            costs.append(_cost(reader, result))
        results.append(entry)
    shared = {"schema": SCHEMA, "suite": manifest["suite"]}
    records = {**shared, "header": manifest["header"], "results": results}
    return records, {**shared, "results": costs}


def _facts(reader: Reader, result: Mapping[str, Any]) -> dict[str, Any]:
    cells = reader.cells(result)
    report = {c["kind"]: c["report"] for c in cells}
    own = reader.record(result["key"])
    table = reader.ranks(result["key"])
    counts = np.bincount(table.domain, minlength=len(table.domains))
    return {
        "instances": {d: int(n) for d, n in zip(table.domains, counts, strict=True) if n},
        "candidates": table.about["protocol"]["candidates"],
        "mask_history": table.about["protocol"]["mask_history"],
        "data": report.get("data", {}).get("fingerprint", ""),
        "split": own["inputs"]["split"],
        "libraries": own["provenance"]["libraries"],
        "plugins": own["provenance"]["plugins"],
    }


def _cost(reader: Reader, result: Mapping[str, Any]) -> dict[str, Any]:
    cells = reader.cells(result)
    own = reader.record(result["key"])
    provenance = own["provenance"]
    return {
        "key": result["key"],
        "identity": result["identity"],
        "seconds": {c["kind"] + ":" + c["label"]: c["seconds"] for c in cells},
        "peak_memory": max(c["peak_memory"] for c in cells),
        "started": own["started"],
        "device": own["device"],
        "commit": provenance["commit"],
        "dirty": provenance["dirty"],
        "processor": provenance["processor"],
        "cores": provenance["cores"],
        "python": provenance["python"],
    }


def write_records(reader: Reader, manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a suite's three files; returns their paths."""
    records, costs = make_records(reader, manifest)
    name = manifest["suite"]
    paths = [
        folder / f"{name}.json",
        folder / f"{name}.cost.json",
        folder / f"{name}.ranks.parquet",
    ]
    write_json(paths[0], records)
    write_json(paths[1], costs)
    done = [r for r in manifest["results"] if r["status"] == "done"]
    _write_all_ranks(paths[2], [reader.ranks(r["key"]) for r in done], [r["key"] for r in done])
    return paths


def _write_all_ranks(path: Path, tables: list[RankTable], keys: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = sorted(dict(zip(keys, tables, strict=True)).items())
    sizes = [len(t.users) for _, t in order]

    def joined(values: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.asarray(v, np.int32) for v in values] or [np.zeros(0, np.int32)])

    names = [np.asarray(t.domains, object)[t.domain] for _, t in order]
    columns = {
        "key": pa.array(np.repeat([k for k, _ in order], sizes)).dictionary_encode(),
        "user": joined([t.users for _, t in order]),
        "domain": pa.array(np.concatenate(names) if names else []).dictionary_encode(),
        "target": joined([t.targets for _, t in order]),
        "n_better": joined([t.n_better for _, t in order]),
        "n_equal": joined([t.n_equal for _, t in order]),
    }
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    pq.write_table(
        pa.table(columns), aside, compression="zstd", compression_level=12, write_statistics=False
    )
    os.replace(aside, path)


def load_records(path: Path) -> dict[str, Any]:
    """Read a records file; older schemas are brought to the present one.

    Raises:
        DataError: the file is damaged or of a later schema.
        HandledError: there is no such file.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise HandledError(f"no such records file: {path}") from None
    except (OSError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(f"not readable as JSON ({error})", path, line) from None
    missing = [k for k in NEEDED if not isinstance(records, dict) or k not in records]
    if missing:
        raise DataError(f"no records of a suite: lacks {', '.join(missing)}", path)
    if not isinstance(records["schema"], int) or not 1 <= records["schema"] <= SCHEMA:
        raise DataError(
            f"schema {records['schema']} is unknown; this version reads 1 to {SCHEMA}", path
        )
    for number, result in enumerate(records["results"]):
        lacking = [k for k in ("key", "identity", "domains", "status") if k not in result]
        if lacking:
            raise DataError(f"result {number} lacks {', '.join(lacking)}", path)
        if result["status"] == "done" and "metrics" not in result:
            raise DataError(f"result {number} is done and has no metrics", path)
    return dict(records)
