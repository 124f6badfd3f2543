"""Fixtures that tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from recmerge_bench.registry import Registry, discover

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


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
