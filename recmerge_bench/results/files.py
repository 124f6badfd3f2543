"""Records: what a board is rendered from, committed beside it.

``<suite>.json`` holds what two identical runs have in common, ``<suite>.cost.json`` what differs
(times, memory, dates, hardware), ``<suite>.ranks.parquet`` all ranks, ``<suite>.curves.json``,
where a row asks for it, how learned merges came about, and ``<suite>.groups.json``, where the
suite asks for it, which test targets belong to which group.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench import schema_numbers
from recmerge_bench.contracts import definition
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.results.all_ranks import write_all_ranks
from recmerge_bench.results.audits import make_audits, merging_facts, pretraining
from recmerge_bench.results.costs import cost_of
from recmerge_bench.results.curves import curves_path, make_curves
from recmerge_bench.results.derived import with_derived
from recmerge_bench.results.groups import Group, by_group, groups_json, groups_path, make_groups
from recmerge_bench.results.records import Costs, Records, Result, check_costs, check_records
from recmerge_bench.results.results import UNRECORDED, Reader
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import within


def make_records(
    reader: Reader,
    manifest: Mapping[str, Any],
    groups: Mapping[str, Sequence[Group]] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(records, costs) of a suite, with metrics by group where there are groups of its splits."""
    names = manifest["header"]["metrics"]
    results, costs = [], []
    for result in manifest["results"]:
        entry = {k: result[k] for k in ("key", "identity", "domains", "status", "reason", "mend")}
        entry |= {k: result.get(k, absent) for k, absent in UNRECORDED.items()}
        if result["status"] == "done":
            entry["metrics"] = reader.by_domain(names, result)
            entry.update(_facts(reader, result))
            entry.update(merging_facts(reader, result))
            if groups:
                table, mine = reader.ranks(result["key"]), groups[entry["split"]]
                entry["groups"] = by_group(reader.registry, names[0], table, mine)
            costs.append(cost_of(reader, result))
        results.append(entry)
    shared = {"schema": schema_numbers.RECORDS, "suite": manifest["suite"]}
    header = {**manifest["header"], "protocols": _protocols(reader.registry, manifest["header"])}
    header["audits"] = make_audits(reader, manifest)
    rows = [Result.model_validate(r) for r in results]
    header["pretraining"] = {
        name: encoder.to_json() for name, encoder in pretraining(reader.registry, rows).items()
    }
    header["datasets"] = _datasets(reader, manifest["results"])
    if groups:
        header["group_facts"] = {
            split: {g.name: {"about": g.about, "instances": int(g.rows.sum())} for g in some}
            for split, some in sorted(groups.items())
        }
    records = Records.model_validate({**shared, "header": header, "results": results})
    whole = with_derived(reader.registry, records, reader.ranks)
    return whole.to_json(), {**shared, "results": costs}


def _protocols(registry: Registry, header: Mapping[str, Any]) -> dict[str, Any]:
    """What the board's protocol cards say of each protocol that is registered."""
    names = sorted({p for track in header["tracks"].values() for p in track["protocols"]})
    found = {}
    for name in names:
        spec = registry.find(("protocol",), name)
        if spec is not None:
            made = definition(spec)
            found[name] = {
                "summary": spec.summary,
                "split": made.split_options(),
                "negatives": made.candidates(),
                "candidate_seed": made.candidate_seed(),
            }
    return found


def _datasets(reader: Reader, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sizes of the datasets that results were made of, by fingerprint of their events."""
    found: dict[str, Any] = {}
    for result in results:
        for cell in reader.cells(result) if result["status"] == "done" else ():
            sizes = {k: cell["report"].get(k) for k in ("users", "events", "items")}
            if cell["kind"] == "data" and None not in sizes.values():
                name = cell["label"].removeprefix("data ")
                found[cell["report"]["fingerprint"]] = {"dataset": name, **sizes}
    return dict(sorted(found.items()))


def _facts(reader: Reader, result: Mapping[str, Any]) -> dict[str, Any]:
    own, provenance = reader.whole(result["key"]), reader.provenance(result)
    # That of the targets: a base may have other data.
    about = reader.whole(reader.source(result, "data"))["report"]
    table = reader.ranks(result["key"])
    counts = np.bincount(table.domain, minlength=len(table.domains))
    return {
        "instances": {d: int(n) for d, n in zip(table.domains, counts, strict=True) if n},
        "candidates": table.about["protocol"]["candidates"],
        "mask_history": table.about["protocol"]["mask_history"],
        "data": about["fingerprint"],
        "split": reader.source(result, "split"),
        **({"probes": own["report"]["probes"]} if own["report"].get("probes") else {}),
        "libraries": provenance["libraries"],
        "plugins": provenance["plugins"],
    }


def write_records(reader: Reader, manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write a suite's files; returns their paths."""
    wanted = manifest["header"].get("groups", ())
    groups = make_groups(reader, manifest, wanted) if wanted else {}
    records, costs = make_records(reader, manifest, groups)
    name = manifest["suite"]
    paths = [
        within(folder, f"{name}{end}") for end in (".json", ".cost.json", ".ranks.parquet")
    ]
    write_json(paths[0], records)
    write_json(paths[1], costs)
    done = [r for r in manifest["results"] if r["status"] == "done"]
    write_all_ranks(paths[2], {r["key"]: reader.ranks(r["key"]) for r in done})
    curves = make_curves(reader, manifest)
    if curves["curves"]:
        paths.append(curves_path(paths[0]))
        write_json(paths[-1], curves)
    if groups:
        paths.append(groups_path(paths[0]))
        write_json(paths[-1], groups_json(name, groups))
    return paths


def records_files(folder: Path) -> list[Path]:
    """``<suite>.json`` of a folder, by name, without what lies beside them."""
    return sorted(p for p in folder.glob("*.json") if "." not in p.stem)


def cost_path(path: Path) -> Path:
    """The cost file beside a records file."""
    return path.with_name(f"{path.stem}.cost.json")


def load_records(path: Path) -> Records:
    """Read a records file; older schemas are brought to the present one.

    Raises:
        DataError: the file is damaged or of a later schema; says where.
        HandledError: there is no such file.
    """
    return check_records(_read(path), path)


def load_costs(path: Path) -> Costs:
    """Read a cost file, as `load_records` does.

    Raises:
        DataError: the file is damaged or of a later schema; says where.
        HandledError: there is no such file.
    """
    return check_costs(_read(path), path)


def _read(path: Path) -> object:
    if not path.is_file():
        raise HandledError(
            f"no such records file: {path}; `recmerge-bench leaderboard build --out` writes it"
        )
    return read_json(path)
