"""Frozen releases: whole, hashed, never written twice."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from site_builders import write_folder

from recmerge_bench.errors import HandledError
from recmerge_bench.report.publishing.releases import RECORDS, SUMS, freeze, release_faults
from recmerge_bench.results.releases import STANDINGS, load_releases, releases_of


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    write_folder(tmp_path / "records")
    (tmp_path / "fake.md").write_text("# fake\n", encoding="utf-8")
    (tmp_path / "records" / "fake.ranks.parquet").write_bytes(b"large")
    return tmp_path


def test_a_release_is_frozen_once_and_checked(boards: Path) -> None:
    files = freeze(boards, "2026.12", "0.1.0")
    to = boards / "releases" / "2026.12"
    names = {"fake.md", STANDINGS, RECORDS, "LICENSE", "zenodo.json", SUMS}
    assert {file.relative_to(to).as_posix() for file in files} == names
    deposit = json.loads((to / "zenodo.json").read_text())
    assert deposit["license"] == "cc-zero" and deposit["version"] == "2026.12"
    assert release_faults(boards) == ([], set(files))
    with pytest.raises(HandledError, match="never edited"):
        freeze(boards, "2026.12", "0.1.0")
    (to / "fake.md").write_text("# better\n", encoding="utf-8")
    (to / RECORDS).unlink()
    faults, _ = release_faults(boards)
    assert len(faults) == 2 and "fake.md: changed" in faults[1] + faults[0]


def test_a_release_holds_its_records_and_where_rows_stood(boards: Path) -> None:
    freeze(boards, "2026.12", "0.1.0")
    with tarfile.open(boards / "releases" / "2026.12" / RECORDS) as packed:
        assert packed.getnames() == ["records/fake.cost.json", "records/fake.json"], "no ranks"
        kept = packed.extractfile("records/fake.json")
        assert kept is not None
        assert kept.read() == (boards / "records" / "fake.json").read_bytes()
    (release,) = load_releases(releases_of(boards / "records"))
    table = release.suites["fake"][0]
    assert release.name == "2026.12" and table.metric == "NDCG@10"
    ranks = [(row.band, row.rank, row.mean) for row in table.rows]
    by_band = {band: [r for r in ranks if r[0] == band] for band, *_ in ranks}
    for rows in by_band.values():
        assert rows == sorted(rows, key=lambda row: -row[2]) and rows[0][1] == 1
    assert all(row.of == len(by_band[row.band]) for row in table.rows)


@pytest.mark.parametrize("name", ["12.2026", "../x", "2026.12/..", ""])
def test_other_names_are_no_releases(boards: Path, name: str) -> None:
    with pytest.raises(HandledError, match="year and month"):
        freeze(boards, name, "0.1.0")


def test_a_bundle_is_checked_without_rights() -> None:
    text = (ROOT / ".github" / "workflows" / "submission.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"} and "secrets" not in text
    assert "recmerge-bench leaderboard add" in text and "pull_request_target" not in text
