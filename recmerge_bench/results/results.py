"""Results as rows: one for each result and domain, one for the mean over the domains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.evaluation.ranks import RankTable, read_ranks
from recmerge_bench.names import MEAN
from recmerge_bench.registry import Registry
from recmerge_bench.results.metrics import metric_values
from recmerge_bench.running.store import Store

IDENTITY = (
    "dataset", "backbone", "method", "recipe", "profile", "variant", "track", "protocol", "seed",
)  # fmt: skip
KEYS = (
    "suite", "dataset", "domain", *IDENTITY[1:],
    "metrics", "status", "key", "configuration", "configuration_sha256", "seconds", "peak_memory",
    "provenance",
)  # fmt: skip

#: what results say of their configuration where it is not recorded
UNRECORDED: dict[str, Any] = {"configuration": None, "configuration_sha256": ""}

#: parts of a cell's record that boards are made of
BEHIND = (
    "kind", "label", "inputs", "report", "seconds", "peak_memory", "started", "device",
    "provenance",
)  # fmt: skip

#: what a cost file keeps of the provenance; the records keep the rest (libraries and plugins)
PROVENANCE = (
    "recmerge_bench", "python", "commit", "dirty", "machine", "processor", "cores", "system",
)  # fmt: skip


def manifests(out: Path, suite: str | None = None) -> list[dict[str, Any]]:
    """The manifests of the suites that were run into a folder.

    Raises:
        HandledError: none is there, or not the one asked for, or it is damaged.
    """
    paths = {p.stem: p for p in sorted((out / "suites").glob("*.json"))}
    if not paths:
        raise HandledError(f"{out}: no suite was run into this folder; `recmerge-bench run --out`")
    if suite is not None and suite not in paths:
        raise HandledError(f"{out}: suite '{suite}' was not run here{near(suite, paths)}")
    chosen = [paths[suite]] if suite else list(paths.values())
    from recmerge_bench.results.run_manifest import read_manifest  # pydantic takes a while

    return [read_manifest(p) for p in chosen]


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
        """A cell's record."""
        if key not in self._records:
            self._records[key] = self.store.record(key)
        return self._records[key]

    def whole(self, key: str) -> dict[str, Any]:
        """A cell's record with all that boards are made of.

        Raises:
            DataError: a part is missing.
        """
        found = self.record(key)
        if said := _lacking(found):
            raise DataError(f"the cell's record {said}; run the suite again",
                            self.store.folder(key))  # fmt: skip
        return found

    def ranks(self, key: str) -> RankTable:
        """A rank cell's table."""
        if key not in self._ranks:
            path = self.store.file(key, "ranks.parquet")
            table = read_ranks(path)
            about = table.about.get("protocol")
            kinds = {"candidates": str, "mask_history": bool}
            if not isinstance(about, dict) or any(
                not isinstance(about.get(k), kind) for k, kind in kinds.items()
            ):
                raise DataError("not a table of ranks (its protocol is not told)", path)
            self._ranks[key] = table
        return self._ranks[key]

    def source(self, result: Mapping[str, Any], kind: str) -> str:
        """Key of the ``data`` or ``split`` cell that a result's ranks are of.

        Raises:
            HandledError: it is not in the store, so that nothing says what the ranks are of.
        """
        key = str(self.whole(result["key"])["inputs"].get(kind, ""))
        if not key or not self.store.has(key):
            raise HandledError(
                f"{self.store.folder(result['key'])}: the {kind} that these ranks are of "
                f"({key[:12] or 'no key'}) is gone from the store; run the suite again, which "
                "makes it again, or take these ranks away"
            )
        return key

    def cells(self, result: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Records of the cells behind a result that are still in the store."""
        return [self.whole(k) for k in result["cells"] if self.store.has(k)]

    def provenance(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Where the ranks were made, with the plugins and libraries of all cells behind them.

        Cells may come from several machines: a library that was there in two versions has both.
        """
        libraries: dict[str, set[str]] = {}
        plugins: dict[str, str] = {}
        for cell in self.cells(result):
            for name, version in cell["provenance"]["libraries"].items():
                libraries.setdefault(name, set()).add(version)
            plugins.update(cell["provenance"]["plugins"])
        own = self.whole(result["key"])["provenance"]
        joined = {name: ", ".join(sorted(versions)) for name, versions in libraries.items()}
        return {**own, "libraries": joined, "plugins": dict(sorted(plugins.items()))}

    def rows(self, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of a suite."""
        names = manifest["header"]["metrics"]
        found: list[dict[str, Any]] = []
        for result in manifest["results"]:
            found += self._rows(manifest["suite"], names, result)
        return found

    def _rows(
        self, suite: str, names: list[str], result: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        done = result["status"] == "done"
        values = self.by_domain(names, result) if done else {}
        cells = self.cells(result) if done else []
        common = {
            **{k: result["identity"].get(k) for k in IDENTITY},
            "suite": suite,
            "status": result["status"],
            "reason": result["reason"],
            "key": result["key"],
            **{k: result.get(k, absent) for k, absent in UNRECORDED.items()},
            "seconds": round(sum(c["seconds"] for c in cells), 3),
            "peak_memory": max((c["peak_memory"] for c in cells), default=0),
            "provenance": self.provenance(result) if cells else {},
        }
        return _by_domain(common, result["domains"], values)

    def by_domain(self, names: list[str], result: Mapping[str, Any]) -> dict[str, dict[str, float]]:
        """Metrics by domain, and their unweighted mean over the domains."""
        table = self.ranks(result["key"])
        return domain_means(self.registry, names, table, result["domains"])


def _lacking(record: Mapping[str, Any]) -> str:
    """What of a record boards cannot do without, where it is not there; else nothing."""
    if lacking := [part for part in BEHIND if part not in record]:
        return f"lacks {', '.join(lacking)}"
    report = record["report"]
    if record["kind"] == "data" and not isinstance(report.get("fingerprint"), str):
        return "lacks the data's fingerprint"
    merged = record["kind"] == "merge" and "tier" in report
    lists = (report.get("read", []), report.get("opened", []))
    if merged and not (
        isinstance(report["tier"], str)
        and all(isinstance(some, list) and all(isinstance(s, str) for s in some) for some in lists)
    ):
        return "does not tell what its merge read"
    return ""


def domain_means(
    registry: Registry, names: Sequence[str], table: RankTable, domains: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Mean of each metric by domain, and ``mean``: the unweighted mean over the domains.

    Raises:
        DataError: the ranks are of other domains.
    """
    values = metric_values(registry, names, table)
    found: dict[str, dict[str, float]] = {}
    for domain in domains:
        if domain not in table.domains:
            raise DataError(
                f"the ranks of '{domain}' are not there: they are of {', '.join(table.domains)}; "
                "run the suite again"
            )
        mine = table.domain == table.domains.index(domain)
        if mine.any():
            found[domain] = {name: float(v[mine].mean()) for name, v in values.items()}
    parts = list(found.values())
    found[MEAN] = {n: float(np.mean([p[n] for p in parts])) for n in names} if parts else {}
    return found


def _by_domain(
    common: Mapping[str, Any], domains: Iterable[str], values: Mapping[str, Mapping[str, float]]
) -> list[dict[str, Any]]:
    rows = [{**common, "domain": d, "metrics": values.get(d, {})} for d in (*domains, MEAN)]
    return [{k: row[k] for k in (*KEYS, "reason")} for row in rows]


def rows(out: Path, registry: Registry, suite: str | None = None) -> list[dict[str, Any]]:
    """All rows of the suites run into a folder; keys as in `KEYS`, and ``reason``."""
    reader = Reader(out, registry)
    return [row for manifest in manifests(out, suite) for row in reader.rows(manifest)]
