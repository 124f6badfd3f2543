"""A run's store as records are made of it: manifests, cells' records and ranks, each read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.evaluation.ranks import MASKED, RANKS, RankTable, read_ranks
from recmerge_bench.processes.words import first_line
from recmerge_bench.registry import Registry
from recmerge_bench.results.metrics import domain_means, with_mean
from recmerge_bench.results.run_manifest import RunManifest, RunResult, read_manifest
from recmerge_bench.running.store import Store


def manifests(out: Path, suite: str | None = None) -> list[RunManifest]:
    """The manifests of the suites that were run into a folder.

    Raises:
        HandledError: none is there, or not the one asked for, or it is damaged.
    """
    paths = {p.stem: p for p in sorted((out / "suites").glob("*.json"))}
    if not paths:
        raise HandledError(f"{out}: no suite was run into this folder; `recmerge-bench run --out`")
    if suite is not None and suite not in paths:
        raise HandledError(f"{out}: suite '{suite}' was not run here{near(suite, paths)}")
    return [read_manifest(p) for p in ([paths[suite]] if suite else paths.values())]


@dataclass(frozen=True)
class Cell:
    """What boards are made of in a cell's record.

    Attributes:
        kind: ``data``, ``train``, ``rank``, ...
        label: what a person reads.
        inputs: name -> key of a cell.
        report: what the stage found out: JSON values of its own.
        seconds: of one worker.
        peak_memory: of the worker, bytes.
        started: seconds since 1970.
        device: that it ran on.
        provenance: JSON facts of the machine and the software.
        config: what the stage was asked for: JSON values of its own.
        energy: ``joules`` of the processors and the cell's ``share``; None where not reported.
    """

    kind: str
    label: str
    inputs: Mapping[str, str]
    report: Mapping[str, Any]
    seconds: float
    peak_memory: int
    started: float
    device: str
    provenance: Mapping[str, Any]
    config: Mapping[str, Any]
    energy: Mapping[str, float] | None = None


#: Parts that a cell's record has to have.
NEEDED = (
    "kind", "label", "inputs", "report", "seconds", "peak_memory", "started", "device",
    "provenance",
)  # fmt: skip


@dataclass(frozen=True)
class Provenance:
    """Where ranks were made.

    Attributes:
        own: facts of the rank cell's machine and software.
        libraries: of all cells behind it, with versions; both, where two were there.
        plugins: likewise.
    """

    own: Mapping[str, Any]
    libraries: dict[str, str]
    plugins: dict[str, str]


class Reader:
    """Reads a run's store: records once, ranks once.

    Args:
        out: the folder of the run.
        registry: for the metrics.
    """

    def __init__(self, out: Path, registry: Registry) -> None:
        self.store, self.registry = Store(out), registry
        self._records: dict[str, dict[str, Any]] = {}
        self._ranks: dict[str, RankTable] = {}

    def record(self, key: str) -> dict[str, Any]:
        """A cell's record as it was written."""
        if key not in self._records:
            self._records[key] = self.store.record(key)
        return self._records[key]

    def cell(self, key: str) -> Cell:
        """What boards are made of in a cell's record.

        Raises:
            DataError: a part is missing.
        """
        record = self.record(key)
        if flaw := _flaw(record):
            raise DataError(f"the cell's record {flaw}; run the suite again",
                            self.store.folder(key))  # fmt: skip
        parts = {name: record[name] for name in NEEDED}
        return Cell(**parts, config=record.get("config", {}), energy=record.get("energy"))

    def ranks(self, result: RunResult) -> RankTable:
        """The table of a result that is done.

        Raises:
            DataError: it is none, or does not say how it was ranked.
        """
        key = result.ranks_key
        if key not in self._ranks:
            path = self.store.file(result.key, MASKED if result.masked else RANKS)
            table = read_ranks(path)
            protocol = table.about.get("protocol")
            kinds = {"candidates": str, "mask_history": bool}
            if not isinstance(protocol, dict) or any(
                not isinstance(protocol.get(k), kind) for k, kind in kinds.items()
            ):
                raise DataError("not a table of ranks (its protocol is not told)", path)
            self._ranks[key] = table
        return self._ranks[key]

    def source(self, result: RunResult, kind: str) -> str:
        """Key of the ``data`` or ``split`` cell that a result's ranks are of.

        Raises:
            HandledError: it is not in the store, so that nothing says what the ranks are of.
        """
        key = self.cell(result.key).inputs.get(kind, "")
        if not key or not self.store.has(key):
            raise HandledError(
                f"{self.store.folder(result.key)}: the {kind} that these ranks are of "
                f"({key[:12] or 'no key'}) is gone from the store; run the suite again, which "
                "makes it again, or take these ranks away"
            )
        return key

    def keyed_cells(self, result: RunResult) -> Iterator[tuple[str, Cell]]:
        """Keys and records of the cells behind a result that are still in the store."""
        return ((key, self.cell(key)) for key in result.cells if self.store.has(key))

    def cells(self, result: RunResult) -> list[Cell]:
        """Records of the cells behind a result that are still in the store."""
        return [cell for _, cell in self.keyed_cells(result)]

    def trial_cells(self, result: RunResult) -> list[Cell]:
        """Records of the cells of settings that were tried for it and are still in the store."""
        return [self.cell(key) for key in result.trials if self.store.has(key)]

    def provenance(self, result: RunResult) -> Provenance:
        """Where the ranks were made, with the plugins and libraries of all cells behind them.

        Cells may come from several machines: a library that was there in two versions has both.
        """
        libraries: dict[str, set[str]] = {}
        plugins: dict[str, str] = {}
        for cell in self.cells(result):
            for name, version in cell.provenance["libraries"].items():
                libraries.setdefault(name, set()).add(version)
            plugins.update(cell.provenance["plugins"])
        joined = {name: ", ".join(sorted(versions)) for name, versions in libraries.items()}
        own = self.cell(result.key).provenance
        return Provenance(own, joined, dict(sorted(plugins.items())))

    def by_domain(self, names: Sequence[str], result: RunResult) -> dict[str, dict[str, float]]:
        """Metrics by domain, and their unweighted mean over the domains."""
        table = self.ranks(result)
        return domain_means(self.registry, names, table, result.domains)

    def of_lists(self, result: RunResult) -> dict[str, dict[str, float]]:
        """Values of list metrics by domain, and their mean; none where their cell is not done."""
        if result.lists is None or not self.store.has(result.lists):
            return {}
        values = self.cell(result.lists).report.get("lists", {})
        return with_mean(values) if values else {}

    def lists_missing(self, result: RunResult) -> dict[str, str]:
        """Why list metrics of a result have no values: metric -> reason, of each that has none.

        A cell of list metrics that failed as a whole has its reason under ``*``.
        """
        if result.lists is None:
            return {}
        if not self.store.has(result.lists):
            failure = self.store.failure(result.lists)
            return {"*": f"failed: {first_line(failure['error'])}"} if failure else {}
        report = self.cell(result.lists).report
        failed = {
            n: f"failed: {first_line(f['error'])}" for n, f in report.get("failed", {}).items()
        }
        return {**report.get("absent", {}), **failed}


def _flaw(record: Mapping[str, Any]) -> str:
    """What of a record boards cannot do without, where it is not there; else nothing."""
    if lacking := [part for part in NEEDED if part not in record]:
        return f"lacks {', '.join(lacking)}"
    report = record["report"]
    if record["kind"] == "data" and not isinstance(report.get("fingerprint"), str):
        return "lacks the data's fingerprint"
    lists = (report.get("read", []), report.get("opened", []))
    merged = record["kind"] == "merge" and "tier" in report
    if merged and not (isinstance(report["tier"], str) and all(map(_are_texts, lists))):
        return "does not tell what its merge read"
    return ""


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
