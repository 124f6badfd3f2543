"""A small suite's records with ranks that fit them, and bundles made wrong on purpose."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boards_builders as made
import numpy as np
from json_boards import derive

from recmerge_bench.evaluation.ranks import RankTable
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.records import check_records

USERS = 30
SPLIT = "e" * 64
Files = dict[str, bytes]
Edit = Callable[[dict[str, Any]], Any]


def audit(**more: Any) -> dict[str, Any]:
    return {
        "dataset": "made-up", "timed": True, "instances": 2 * USERS, "later_own": 0.5,
        "later_other": 0.25, "later_same_user": 0.125, "later_events": 0.0625, "same_events": 0,
        "shared_keys": 3, "seen_targets": 0.1, "items": {"books": [0, 100], "films": [100, 200]},
        **more,
    }  # fmt: skip


def table(method: str, seed: int | None, shift: float = 0.0) -> RankTable:
    """Ranks of 30 users in each of two domains of 100 items; a larger shift is better."""
    rng = np.random.default_rng([sum(method.encode()), seed or 0])
    better = np.clip(np.exp(2 - shift + rng.normal(size=2 * USERS)), 0, 98).astype(np.int32)
    users = np.tile(np.arange(USERS, dtype=np.int32), 2)
    domain = np.repeat([0, 1], USERS).astype(np.int32)
    targets = (users * 3 + 100 * domain).astype(np.int32)
    return RankTable(users, ("books", "films"), domain, targets, better,
                     np.zeros(2 * USERS, np.int32), {})  # fmt: skip


def write_suite(
    folder: Path, registry: Registry, methods: Mapping[str, float], suite: str = "fake",
    seeds: tuple[int, ...] = (0, 1), edit: Edit | None = None,
) -> Path:  # fmt: skip
    """Records, costs and ranks of these methods (name -> how good); the records file."""
    results, tables, costs = [], {}, []
    for method, shift in methods.items():
        for seed in seeds:
            who = made.identity(method, seed)
            entry = {**made.result(who, 0.0, 0.0), "mask_history": False, "split": SPLIT}
            entry["instances"] = {"books": USERS, "films": USERS}
            entry["key"] = hashlib.sha256(f"{method} {seed}".encode()).hexdigest()
            tables[entry["key"]] = table(method, seed, shift)
            results.append(entry)
            costs.append({"key": entry["key"], "identity": who, "seconds": {"train:x": 1.0},
                          "peak_memory": 1, "parameters": 5, "joules": None})  # fmt: skip
    if "absent" not in methods:
        results.append(made.not_done(made.identity("absent", 0), "blocked", "no data"))
    header = made.header()
    protocol = {"summary": "the last one", "split": {"scope": "domain"}, "negatives": None,
                "candidate_seed": 1}  # fmt: skip
    header["protocols"], header["audits"] = {"cut": protocol}, {SPLIT: audit()}
    header["tracks"]["merging"]["baseline"] = {"method": "own"}
    records = {"schema": 4, "suite": suite, "header": header, "results": results}
    if "own" not in methods:
        del header["tracks"]["merging"]["baseline"]
    records = derive(records, tables, registry)
    if edit is not None:
        edit(records)
    path = folder / f"{suite}.json"
    write_json(path, records)
    write_json(folder / f"{suite}.cost.json", {"schema": 3, "suite": suite, "results": costs})
    write_all_ranks(folder / f"{suite}.ranks.parquet", tables)
    return path


def members(bundle: Path) -> Files:
    """Name -> bytes of a good bundle."""
    with tarfile.open(bundle, "r:gz") as archive:
        return {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]


def entry(name: str, data: bytes = b"", **more: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def tarred(
    entries: list[tuple[tarfile.TarInfo, bytes]], to: Path, format: int = tarfile.USTAR_FORMAT,
    tail: bytes = b"",
) -> Path:  # fmt: skip
    """A gzipped tar of these entries."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=format) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    to.write_bytes(gzip.compress(raw.getvalue() + tail, 1))
    return to


def again(files: Files, to: Path, honest: bool = True) -> Path:
    """A bundle of these files; an honest one has a manifest that describes them."""
    if honest:
        manifest = json.loads(files["manifest.json"])
        manifest["files"] = {
            n: {"sha256": hashlib.sha256(d).hexdigest(), "size": len(d)}
            for n, d in files.items()
            if n != "manifest.json"
        }
        files = {**files, "manifest.json": json.dumps(manifest).encode()}
    return tarred([entry(n, d) for n, d in sorted(files.items())], to)


def edited(files: Files, name: str, edit: Edit) -> Files:
    """The same files, one of JSON changed."""
    value = json.loads(files[name])
    if "configurations" in value:  # each result with its own, which a file may have too
        value = check_records(value, Path(name)).to_json()
    edit(value)
    return {**files, name: json.dumps(value).encode()}


def tree(folder: Path) -> dict[str, bytes]:
    """Relative name -> bytes of all files."""
    return {p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*")) if p.is_file()}  # fmt: skip
