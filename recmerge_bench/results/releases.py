"""``releases/NAME/standings.json``: where rows stood when the boards were frozen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import FiniteFloat, NonNegativeInt

from recmerge_bench.typed import Value, checked
from recmerge_bench.untrusted.jsons import read_json

STANDINGS = "standings.json"


class Stood(Value):
    """A row: `recmerge_bench.report.boards.standings` says what its parts are."""

    backbone: str
    method: str
    label: str
    band: str
    rank: NonNegativeInt
    of: NonNegativeInt
    mean: FiniteFloat


class StoodTable(Value):
    """A track under a protocol."""

    track: str
    protocol: str
    metric: str
    rows: list[Stood]


class Release(Value):
    """A frozen release: suite -> its tables."""

    name: str
    suites: Mapping[str, list[StoodTable]]


def releases_of(records: Path) -> Path:
    """Where releases lie: ``releases`` beside ``records``."""
    return records.parent / "releases"


def load_releases(folder: Path) -> list[Release]:
    """All releases of a folder, by name; none where there is no folder.

    Raises:
        DataError: a file is damaged.
    """
    found = []
    for path in sorted(folder.glob(f"*/{STANDINGS}")):
        suites: Any = read_json(path)
        raw = {"name": path.parent.name, "suites": suites}
        found.append(checked(Release, raw, path, "no standings of a release"))
    return found
