"""Fixtures that tests share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from recmerge_bench.registry import Registry, discover

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


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
    from recmerge_bench_plugins.ml_100k import MovieLens100K

    MovieLens100K().fetch(None, None)


@pytest.fixture(scope="session")
def registry() -> Registry:
    """All installed plugins."""
    found = discover(environ={})
    assert found.problems == []
    return found


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of specifications and real data that developers have beside the project."""
    if not SHARED.is_dir():
        pytest.skip("../shared is absent: its data are not part of the project")
    return SHARED
