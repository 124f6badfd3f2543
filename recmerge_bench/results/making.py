"""Records of a suite, made of its manifest and the store of its run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench import schema_numbers
from recmerge_bench.contracts import definition
from recmerge_bench.registry import Registry
from recmerge_bench.results.audits import make_audits, merging_facts, pretraining
from recmerge_bench.results.costs import cost_of
from recmerge_bench.results.curves import make_curves
from recmerge_bench.results.derived import with_derived
from recmerge_bench.results.groups import Group, by_group, make_groups
from recmerge_bench.results.header import GroupFact, Header, Protocol, Size
from recmerge_bench.results.kept import with_kept
from recmerge_bench.results.reader import Reader
from recmerge_bench.results.records import Costs, Records, Result
from recmerge_bench.results.run_manifest import RunManifest, RunResult
from recmerge_bench.results.suite_files import SuiteFiles, read_suite_files, write_suite_files
from recmerge_bench.results.trainings import all_trainings, trained
from recmerge_bench.typed import fitting
from recmerge_bench.untrusted.paths import within

Groups = Mapping[str, Sequence[Group]]


def make_files(reader: Reader, manifest: RunManifest) -> SuiteFiles:
    """All that a run's store says of a suite, but for what its rows say together."""
    wanted = manifest.header.groups
    groups = make_groups(reader, manifest, wanted) if wanted else {}
    done = [result for result in manifest.results if result.done]
    with fitting("a cell of the run"):
        results = [_result(reader, manifest.header, result, groups) for result in manifest.results]
        header = _header(reader, manifest, results, groups)
        trainings = all_trainings(reader, manifest)
        records = Records.model_validate({
            "schema": schema_numbers.RECORDS, "suite": manifest.suite,
            "header": header, "results": results,
            **({"trainings": trainings} if trainings else {}),
        })  # fmt: skip
        costs = [cost_of(reader, result) for result in done]
        return SuiteFiles(
            records,
            Costs.model_validate(
                {"schema": schema_numbers.COSTS, "suite": manifest.suite, "results": costs}
            ),
            {result.ranks_key: reader.ranks(result) for result in done},
            make_curves(reader, manifest),
            groups,
        )


def _result(reader: Reader, header: Header, result: RunResult, groups: Groups | None) -> Result:
    entry: dict[str, Any] = {
        "key": result.ranks_key, "identity": result.identity, "domains": result.domains,
        "status": result.status, "reason": result.reason, "mend": result.mend,
        "configuration": result.configuration,
        "configuration_sha256": result.configuration_sha256,
    }  # fmt: skip
    if result.done:
        entry["metrics"] = reader.by_domain(header.metrics, result)
        if values := reader.of_lists(result):
            entry["list_metrics"] = values
        if reasons := reader.lists_missing(result):
            names = header.names_of_lists
            entry["lists_missing"] = {
                name: reason for key, reason in reasons.items()
                for name in (names if key == "*" else [key])
            }  # fmt: skip
        entry |= _facts(reader, result) | merging_facts(reader, result)
        if keys := list(trained(reader, result)):
            entry["trained"] = keys
        if groups:
            table = reader.ranks(result)
            some = groups[entry["split"]]
            entry["groups"] = by_group(reader.registry, header.primary, table, some)
    return Result.model_validate(entry)


def _facts(reader: Reader, result: RunResult) -> dict[str, Any]:
    own, provenance = reader.cell(result.key), reader.provenance(result)
    # That of the targets: a base may have other data.
    data = reader.cell(reader.source(result, "data")).report
    table = reader.ranks(result)
    counts = np.bincount(table.domain, minlength=len(table.domains))
    protocol = table.about["protocol"]
    return {
        "instances": {d: int(n) for d, n in zip(table.domains, counts, strict=True) if n},
        "candidates": protocol["candidates"],
        "mask_history": protocol["mask_history"],
        **{k: protocol[k] for k in ("shuffle_seed",) if k in protocol},
        "data": data["fingerprint"],
        "split": reader.source(result, "split"),
        **({"probes": own.report["probes"]} if own.report.get("probes") else {}),
        "libraries": provenance.libraries,
        "plugins": provenance.plugins,
    }


def _header(
    reader: Reader, manifest: RunManifest, results: Sequence[Result], groups: Groups | None
) -> Header:
    facts: dict[str, Any] = {
        "protocols": _protocols(reader.registry, manifest.header),
        "audits": make_audits(reader, manifest),
        "pretraining": pretraining(reader.registry, results),
        "datasets": _datasets(reader, manifest.results),
    }
    if groups:
        facts["group_facts"] = {
            split: {g.name: GroupFact(about=g.about, instances=int(g.rows.sum())) for g in some}
            for split, some in sorted(groups.items())
        }
    return Header.model_validate({**manifest.header.to_json(), **facts})


def _protocols(registry: Registry, header: Header) -> dict[str, Protocol]:
    """What the board's protocol cards say of each protocol that is registered."""
    protocols = {}
    for name in sorted({p for track in header.tracks.values() for p in track.protocols}):
        spec = registry.find(("protocol",), name)
        if spec is not None:
            made = definition(spec)
            order, phases = made.shuffle_seed(), made.phases()
            protocols[name] = Protocol(
                summary=spec.summary, split=made.split_options(), negatives=made.candidates(),
                candidate_seed=made.candidate_seed(), mask_history=made.mask_history(),
                **({} if order is None else {"shuffle_seed": order}),
            )  # fmt: skip
            if phases is not None:
                protocols[name] = protocols[name].changed(phases=asdict(phases))
    return protocols


def _datasets(reader: Reader, results: Iterable[RunResult]) -> dict[str, Size]:
    """Sizes of the datasets that results were made of, by fingerprint of their events."""
    datasets: dict[str, Size] = {}
    for result in results:
        for key, cell in reader.keyed_cells(result) if result.done else ():
            sizes = {k: cell.report.get(k) for k in ("users", "events", "items")}
            name = _dataset(reader, result, key)
            if cell.kind == "data" and name and None not in sizes.values():
                size = Size.model_validate({"dataset": name, **sizes})
                datasets[cell.report["fingerprint"]] = size
    return dict(sorted(datasets.items()))


def _dataset(reader: Reader, result: RunResult, key: str) -> str:
    """Which dataset a data cell behind a result is of: its targets', else its base's."""
    if key == reader.source(result, "data"):
        return result.identity.dataset
    base = result.configuration.base if result.configuration else None
    return base.dataset.name if base else ""


def write_records(
    reader: Reader, manifest: RunManifest, folder: Path,
    keep: Callable[[str], None] | None = None,
) -> list[Path]:  # fmt: skip
    """Write a suite's files; returns their paths.

    Args:
        reader: of the run's store.
        manifest: of the suite.
        folder: to write to.
        keep: rows that are done in the folder's files and not in the run stay
            (`recmerge_bench.results.kept`); it is handed a line for each that does not, and why.

    Raises:
        HandledError: a row that would stay is of other data or targets than the run's.
    """
    path = within(folder, f"{manifest.suite}.json")
    files = make_files(reader, manifest)
    if keep is not None and path.is_file():
        files = with_kept(reader.registry, files, read_suite_files(path), keep)
    with fitting("a cell of the run"):
        whole = with_derived(
            reader.registry, files.records, files.ranks.__getitem__, files.groups
        )  # fmt: skip
    return write_suite_files(path, replace(files, records=whole))
