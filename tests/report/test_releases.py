"""Frozen releases: whole, hashed, never written twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from recmerge_bench.errors import HandledError
from recmerge_bench.report.publishing.releases import SUMS, freeze, release_faults


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    (tmp_path / "records").mkdir()
    (tmp_path / "quick.md").write_text("# quick\n", encoding="utf-8")
    (tmp_path / "records" / "quick.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "records" / "quick.ranks.parquet").write_bytes(b"large")
    return tmp_path


def test_a_release_is_frozen_once_and_checked(boards: Path) -> None:
    files = freeze(boards, "2026.12", "0.1.0")
    to = boards / "releases" / "2026.12"
    names = {"quick.md", "records/quick.json", "LICENSE", "zenodo.json", SUMS}
    assert {file.relative_to(to).as_posix() for file in files} == names
    deposit = json.loads((to / "zenodo.json").read_text())
    assert deposit["license"] == "cc-zero" and deposit["version"] == "2026.12"
    assert release_faults(boards) == ([], set(files))
    with pytest.raises(HandledError, match="never edited"):
        freeze(boards, "2026.12", "0.1.0")
    (to / "quick.md").write_text("# better\n", encoding="utf-8")
    (to / "records" / "quick.json").unlink()
    faults, _ = release_faults(boards)
    assert len(faults) == 2 and "quick.md: changed" in faults[1] + faults[0]


@pytest.mark.parametrize("name", ["12.2026", "../x", "2026.12/..", ""])
def test_other_names_are_no_releases(boards: Path, name: str) -> None:
    with pytest.raises(HandledError, match="year and month"):
        freeze(boards, name, "0.1.0")


def test_a_bundle_is_checked_without_rights() -> None:
    text = (ROOT / ".github" / "workflows" / "submission.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"} and "secrets" not in text
    assert "recmerge-bench leaderboard add" in text and "pull_request_target" not in text
