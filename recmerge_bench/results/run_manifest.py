"""``OUT/suites/<suite>.json`` as it is read: typed, so that all behind it may trust it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, FailFast, Field, field_validator

from recmerge_bench.errors import DataError
from recmerge_bench.identity import Identity
from recmerge_bench.names import wrong_domains
from recmerge_bench.planning.configuration import Configuration
from recmerge_bench.planning.keys import ranks_key
from recmerge_bench.results.header import Audit, Encoder, Header
from recmerge_bench.results.records import DONE, OfSuite
from recmerge_bench.running.cell_record import SEAL, seal_of
from recmerge_bench.typed import Value, checked
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import is_safe, shown

REMEDY = "run the suite again"


def _key(value: str) -> str:
    if not is_safe(value):
        raise ValueError(f"{shown(value)} is no key of a cell")
    return value


#: A cell's key: it names the cell's folder.
CellKey = Annotated[str, AfterValidator(_key)]


class RunHeader(Header):
    """A header before anything of the run is known."""

    audits: dict[str, Audit] = Field(default_factory=dict)
    pretraining: dict[str, Encoder] = Field(default_factory=dict)


class RunResult(Value):
    """A row's cells and how they stand.

    `key` is of the rank cell; `masked` says that the row's ranks are its second table, without the
    items of the history; `lists` is the cell of its values of list metrics, where it has any;
    `trials` are the cells of the settings that a search tried for it, without those of the row.
    """

    key: CellKey
    identity: Identity
    domains: list[str]
    status: Literal["done", "blocked", "failed", "timeout", "out-of-memory", "not run"]
    reason: str
    mend: str
    cells: list[CellKey]
    configuration: Configuration | None = None
    configuration_sha256: str = ""
    masked: bool = False
    lists: CellKey | None = None
    trials: list[CellKey] = Field(default_factory=list)

    @property
    def ranks_key(self) -> str:
        """What names its ranks in records."""
        return ranks_key(self.key, self.masked)

    @property
    def done(self) -> bool:
        """Whether its ranks are in the store."""
        return self.status == DONE

    @field_validator("domains")
    @classmethod
    def _stand_beside_each_other(cls, value: list[str]) -> list[str]:
        if flaw := wrong_domains(value):
            raise ValueError(flaw)
        return value


class RunManifest(OfSuite):
    """The file."""

    suite: str
    header: RunHeader
    results: Annotated[list[RunResult], FailFast()]
    curves: Annotated[list[RunResult], FailFast()] = Field(default_factory=list)
    seal: str = ""


def read_manifest(path: Path) -> RunManifest:
    """A manifest, checked.

    Raises:
        DataError: it is damaged or none; says where.
    """
    raw = read_json(path, remedy=REMEDY)
    if isinstance(raw, dict) and raw.get(SEAL, "") != "" and raw[SEAL] != seal_of(raw):
        raise DataError(
            f"no manifest of a suite: its own checksum does not agree, it was edited or damaged; "
            f"{REMEDY}", path,
        )  # fmt: skip
    return checked(RunManifest, raw, path, "no manifest of a suite", REMEDY)
