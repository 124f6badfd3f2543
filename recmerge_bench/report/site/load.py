"""What the site is made from: all files of each suite's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from recmerge_bench.errors import HandledError
from recmerge_bench.results.curves import curves_path, load_curves
from recmerge_bench.results.files import (
    archive_of,
    cost_path,
    load_costs,
    load_records,
    records_files,
)
from recmerge_bench.results.profiles import Profile, load_profiles, profiles_of
from recmerge_bench.results.releases import Release, load_releases, releases_of

if TYPE_CHECKING:
    from recmerge_bench.results.beside import Curve
    from recmerge_bench.results.header import Header
    from recmerge_bench.results.records import Cost, Records


@dataclass(frozen=True)
class Beside:
    """What pages read beside the records.

    Attributes:
        profiles: fingerprint of data -> how their events are spread.
        releases: frozen boards, by name.
    """

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    releases: Sequence[Release] = ()


NOTHING = Beside()


@dataclass(frozen=True)
class Suite:
    """The records of a suite.

    Attributes:
        records: ``<suite>.json``.
        costs: of its cost file; none where there is no file.
        curves: of its learned merges.
    """

    records: Records
    costs: Sequence[Cost]
    curves: Sequence[Curve]

    @property
    def name(self) -> str:
        """Of the suite."""
        return self.records.suite

    @property
    def shown(self) -> str:
        """Its name as the pages list it."""
        return f"{self.name} (superseded)" if self.header.superseded else self.name

    @property
    def header(self) -> Header:
        """What its records say before their results."""
        return self.records.header


def load_suites(folder: Path) -> list[Suite]:
    """All suites of a folder of records, by name; then those of its archive.

    Raises:
        HandledError: none is there, two have one name, or a file is damaged.
    """
    paths = records_files(folder)
    if not paths:
        raise HandledError(f"{folder}: no records there; `leaderboard build --out` writes them")
    suites = [_load(p) for p in (*paths, *records_files(archive_of(folder)))]
    names = [suite.name for suite in suites]
    for name in names:
        if names.count(name) > 1:
            raise HandledError(f"{folder}: two records files are of the suite '{name}'")
    return sorted(suites, key=lambda suite: (suite.header.superseded is not None, suite.name))


def load_beside(folder: Path) -> Beside:
    """Profiles of datasets and frozen releases that lie beside a folder of records.

    Raises:
        DataError: a file is damaged.
    """
    return Beside(load_profiles(profiles_of(folder)), load_releases(releases_of(folder)))


def _load(path: Path) -> Suite:
    beside = cost_path(path)
    costs = load_costs(beside).results if beside.is_file() else []
    return Suite(load_records(path), costs, load_curves(curves_path(path)))
