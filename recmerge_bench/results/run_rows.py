"""Results of runs as rows: one for each result and domain, one for the mean over the domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recmerge_bench.identity import FIELDS, Identity
from recmerge_bench.json_values import JsonObject, plain_object
from recmerge_bench.names import MEAN
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.registry import Registry
from recmerge_bench.results.metrics import not_loaded
from recmerge_bench.results.reader import Reader, manifests
from recmerge_bench.results.run_manifest import RunResult


@dataclass(frozen=True)
class RunRow:
    """A result in one domain, or its mean over its domains, with what it took.

    Attributes:
        suite: that was run.
        identity: of the result.
        domain: by name; ``mean``: over the result's domains.
        metrics: by name, those of the suite, of lists too; none where the result is not done.
        status: ``done``, or why not.
        key: of the cell of its ranks.
        configuration: what it was made with; None where it is not known.
        configuration_sha256: of its canonical JSON; empty where it is not known.
        seconds: of all cells behind the result.
        peak_memory: bytes, the largest of these cells.
        provenance: machine and software of the ranking; ``libraries`` and ``plugins`` of all cells.
        reason: why it is not done.
    """

    suite: str
    identity: Identity
    domain: str
    metrics: Mapping[str, float]
    status: str
    key: str
    configuration: Configuration | None
    configuration_sha256: str
    seconds: float
    peak_memory: int
    provenance: Mapping[str, object]
    reason: str

    def to_json(self) -> JsonObject:
        """All of it, the identity's parts beside the rest, in a fixed order."""
        own = {name: getattr(self.identity, name) for name in FIELDS}
        made = self.configuration
        return plain_object({
            "suite": self.suite,
            "dataset": own.pop("dataset"),
            "domain": self.domain,
            **own,
            "metrics": self.metrics,
            "status": self.status,
            "key": self.key,
            "configuration": None if made is None else made.recorded(),
            "configuration_sha256": self.configuration_sha256,
            "seconds": self.seconds,
            "peak_memory": self.peak_memory,
            "provenance": self.provenance,
            "reason": self.reason,
        })  # fmt: skip


def rows(
    out: Path, registry: Registry, suite: str | None = None
) -> tuple[list[RunRow], tuple[str, ...]]:
    """All rows of the suites run into a folder, or of one of them.

    Returns:
        The rows, and a line for each metric that they lack since its plugin is not loaded.

    Raises:
        HandledError: no suite was run into it, or not this one.
        DataError: a file of the run is damaged.
    """
    reader, made, lacking = Reader(out, registry), list[RunRow](), dict[str, str]()
    for manifest in manifests(out, suite):
        lacking |= not_loaded(registry, manifest.header.metrics)
        names = [name for name in manifest.header.metrics if name not in lacking]
        for result in manifest.results:
            made += _rows(reader, manifest.suite, names, result)
    return made, tuple(lacking.values())


def _rows(reader: Reader, suite: str, names: Sequence[str], result: RunResult) -> list[RunRow]:
    values = reader.by_domain(names, result) if result.done else {}
    for domain, more in reader.of_lists(result).items() if result.done else ():
        values[domain] |= more
    cells = reader.cells(result) if result.done else []
    return [
        RunRow(
            suite=suite,
            identity=result.identity,
            domain=domain,
            metrics=values.get(domain, {}),
            status=result.status,
            key=result.ranks_key,
            configuration=result.configuration,
            configuration_sha256=result.configuration_sha256,
            seconds=round(sum(cell.seconds for cell in cells), 3),
            peak_memory=max((cell.peak_memory for cell in cells), default=0),
            provenance=_provenance(reader, result) if cells else {},
            reason=result.reason,
        )
        for domain in (*result.domains, MEAN)
    ]


def _provenance(reader: Reader, result: RunResult) -> dict[str, object]:
    versions = reader.provenance(result)
    return {**versions.own, "libraries": versions.libraries, "plugins": versions.plugins}
