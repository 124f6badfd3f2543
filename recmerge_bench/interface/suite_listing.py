"""Suites as they can be chosen: which there are, and what one of them holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recmerge_bench.errors import HandledError
from recmerge_bench.interface.plugins import Plugins, registry_of
from recmerge_bench.interface.suites import Changes, SuiteLike, load_suite
from recmerge_bench.planning.names import variant_of
from recmerge_bench.planning.suite import Row, Suite
from recmerge_bench.planning.suite_files import suite_files
from recmerge_bench.registry import Registry


@dataclass(frozen=True)
class SuiteEntry:
    """A suite that can be named.

    Attributes:
        name: by which ``--suite`` finds it.
        file: that it is read from.
        title: one line.
        label: ``smoke``, ``converged`` or ``paper``.
        tracks: their names.
        rows: of all tracks, each once whatever it runs on.
        seeds: how many replicates the suite has.
        error: why it cannot be read; all but name and file are then empty.
    """

    name: str
    file: Path
    title: str = ""
    label: str = ""
    tracks: tuple[str, ...] = ()
    rows: int = 0
    seeds: int = 0
    error: str = ""


def list_suites(plugins: Plugins = ()) -> tuple[SuiteEntry, ...]:
    """Every suite of the installed plugins and of those named, by name.

    One that cannot be read is listed with the reason; names that two files claim are listed twice.

    Args:
        plugins: see `recmerge_bench.interface.plugins.registry_of`.
    """
    registry = registry_of(plugins)
    files = suite_files(registry)
    return tuple(_entry(name, file, registry) for name in sorted(files) for file in files[name])


def _entry(name: str, file: Path, registry: Registry) -> SuiteEntry:
    try:
        suite = load_suite(str(file), plugins=registry)
    except HandledError as error:
        return SuiteEntry(name, file, error=str(error))
    rows = sum(len(track.rows) for track in suite.tracks.values())
    return SuiteEntry(
        name, file, suite.title, suite.label, tuple(suite.tracks), rows, len(suite.seeds)
    )


@dataclass(frozen=True)
class ShownSuite:
    """A suite with all that it inherits.

    Attributes:
        suite: as it was read.
        file: that it was read from; None where its keys were given.
    """

    suite: Suite
    file: Path | None

    def to_json(self) -> dict[str, Any]:
        """``file`` and ``suite``, whose keys are those that a file would give, defaults left out.

        What stands under ``suite`` is a suite again: without `extends`, since all is laid out.
        """
        keys = self.suite.model_dump(mode="json", exclude_defaults=True, exclude={"extends"})
        return {"file": self.file and str(self.file), "suite": {"name": self.suite.name, **keys}}


def show_suite(suite: SuiteLike, *, changes: Changes = (), plugins: Plugins = ()) -> ShownSuite:
    """A suite with what it extends laid under it.

    Args:
        suite: name, file, or keys; see `load_suite`.
        changes: laid over it, see `load_suite`.
        plugins: see there.

    Raises:
        HandledError: see `load_suite`.
    """
    registry = registry_of(plugins)
    read = load_suite(suite, changes=changes, plugins=registry)
    return ShownSuite(read, _file(suite, registry))


def _file(suite: SuiteLike, registry: Registry) -> Path | None:
    if not isinstance(suite, (str, Path)):
        return None
    if str(suite).endswith((".yaml", ".yml")):
        return Path(suite)
    return suite_files(registry)[str(suite)][0]


def settings_of(row: Row) -> str:
    """What is said of a row besides its method and variant, in a line: ``scale=0.4``."""
    variant = variant_of(row)
    given = {**row.options, **{f"training.{k}": v for k, v in row.training.items()}}
    parts = [f"{k}={v}" for k, v in sorted(given.items())]
    own = [] if ",".join(parts) == variant else parts
    recipe = [] if row.recipe == "fixed" else [f"{row.recipe} recipe"]
    profile = [f"profile {row.profile}"] if row.profile is not None else []
    replicates = [f"{row.replicates} seeds"] if row.replicates else []
    searched = [] if row.tune is None else [f"searched: {row.tune.text}"]
    return ", ".join([*own, *recipe, *profile, *replicates, *searched])
