"""Fixtures that tests share."""

from __future__ import annotations

import importlib.util
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest
from source_graph import ROOT, settings

from recmerge_bench.registry import Registry, discover

SHARED = ROOT.parent / "shared"
#: Suites and files that tests read.
SAMPLES = Path(__file__).parent / "samples"


def committed(file: str) -> Path:
    """A file of the boards, in the archive where another board has replaced its suite's."""
    archived = ROOT / "leaderboards" / "archive" / file
    return archived if archived.is_file() else ROOT / "leaderboards" / file


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test an installation whose plugins are not those of setup.cfg any more."""
    lines = settings()["options.entry_points"]["recmerge_bench"].split("\n")
    named = {tuple(line.split(" = ")) for line in lines if line}
    if named - {(point.name, point.value) for point in entry_points(group="recmerge_bench")}:
        raise pytest.UsageError(
            "setup.cfg names plugins that are not installed; install again: "
            "python -m pip install --no-deps --no-build-isolation -e ."
        )


def tool(path: str) -> ModuleType:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", autouse=True)
def movielens() -> None:
    """MovieLens-100K where RecBole cannot be installed: fetched once, as `run` does it."""
    from recmerge_bench_plugins.datasets.ml_100k import MovieLens100K

    MovieLens100K().fetch(None, None)


@pytest.fixture(scope="session")
def registry() -> Registry:
    """All installed plugins."""
    discovered = discover(environ={})
    assert discovered.problems == []
    return discovered


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of specifications and real data that developers have beside the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its data are not part of the project")
    return SHARED
