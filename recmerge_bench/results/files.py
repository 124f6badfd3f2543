"""Records: what a board is rendered from, committed beside it.

``<suite>.json`` holds what two identical runs have in common, ``<suite>.cost.json`` what differs
(times, memory, dates, hardware), ``<suite>.ranks.parquet`` all ranks, ``<suite>.curves.json``,
where a row asks for it, how learned merges came about, and ``<suite>.groups.json``, where the
suite asks for it, which test targets belong to which group.
"""

from __future__ import annotations

from pathlib import Path

from recmerge_bench.collection import uncollected
from recmerge_bench.errors import HandledError
from recmerge_bench.files import write_json
from recmerge_bench.results.records import Costs, Records, check_costs, check_records
from recmerge_bench.results.shared_values import shared
from recmerge_bench.untrusted.jsons import read_json

#: Bytes and values of a file of records or costs: some 400,000 results. What strangers send is
#: bounded more tightly before it is read here (`recmerge_bench.submissions.bundle`).
SIZE, VALUES = 512 << 20, 40_000_000


def records_files(folder: Path) -> list[Path]:
    """``<suite>.json`` of a folder, by name, without what lies beside them."""
    return sorted(p for p in folder.glob("*.json") if "." not in p.stem)


def archive_of(records: Path) -> Path:
    """Where the records of superseded boards lie: ``archive/records`` beside ``records``."""
    return records.parent / "archive" / "records"


def cost_path(path: Path) -> Path:
    """The cost file beside a records file."""
    return path.with_name(f"{path.stem}.cost.json")


@uncollected()
def load_records(path: Path) -> Records:
    """Read a records file; older schemas are brought to the present one.

    Raises:
        DataError: the file is damaged or of a later schema; says where.
        HandledError: there is no such file.
    """
    return check_records(_read(path), path)


def save_records(path: Path, records: Records) -> None:
    """Write a records file, whole or not at all; what results have in common stands in it once."""
    write_json(path, shared(records.to_json()))


@uncollected()
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
    return read_json(path, SIZE, VALUES)
