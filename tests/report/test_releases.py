"""Frozen releases: whole, hashed, never written twice."""

from __future__ import annotations

import json
import os
import subprocess
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


#: In the place of the command: refuses a bundle called bad, and says of others what it added.
COMMAND = """#!/bin/sh
case "$3" in
*bad*) echo "error: $3: no such suite" >&2; exit 2 ;;
*) echo "added $3"; echo new >> "$5/board.md" ;;
esac
"""


@pytest.mark.parametrize(("name", "code", "told"), [("new", 0, "added"), ("bad", 2, "error:")])
def test_the_step_checks_new_bundles_alone(tmp_path: Path, name: str, code: int, told: str) -> None:
    """The workflow's own shell lines, in a repository with a bundle that was there before."""
    text = (ROOT / ".github" / "workflows" / "submission.yml").read_text(encoding="utf-8")
    script = yaml.safe_load(text)["jobs"]["check"]["steps"][-1]["run"]
    tool = tmp_path / "bin" / "recmerge-bench"
    tool.parent.mkdir()
    tool.write_text(COMMAND)
    tool.chmod(0o755)
    folder = tmp_path / "repository"
    for part in ("submissions", "leaderboards"):
        (folder / part).mkdir(parents=True)
    (folder / "leaderboards" / "board.md").write_text("old\n")

    def git(*words: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)

    git("init", "-q")
    (folder / "submissions" / "old.rmb.tar.gz").touch()
    git("add", "-A")
    git("commit", "-qm", "one")
    (folder / "submissions" / f"{name}.rmb.tar.gz").touch()
    git("add", "-A")
    git("commit", "-qm", "two")
    summary = tmp_path / "summary.md"
    environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}",
                   "GITHUB_STEP_SUMMARY": str(summary)}  # fmt: skip
    ran = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True
    )
    said = summary.read_text()
    assert ran.returncode == code and told in said and "old.rmb" not in said
    assert ("+new" in said) == (code == 0)
