"""`leaderboard check`: committed boards are what their ranks give; changed numbers are found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from compared_builders import suite
from conftest import ROOT

from recmerge_bench import schema_numbers
from recmerge_bench.cli import cli
from recmerge_bench.files import write_json
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.check import check
from recmerge_bench.report.site.load import load_suites
from recmerge_bench.report.site.pages import render_site
from recmerge_bench.report.site.write import write_site
from recmerge_bench.results.all_ranks import write_all_ranks


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """Two small suites' boards and records."""
    folder = tmp_path / "boards"
    (folder / "records").mkdir(parents=True)
    for name in ("quick", "regression"):
        for file in (ROOT / "leaderboards").glob(f"{name}*.md"):
            shutil.copy(file, folder)
        for file in (ROOT / "leaderboards" / "records").glob(f"{name}.*"):
            shutil.copy(file, folder / "records")
    return folder


def test_what_is_committed_is_what_its_ranks_give(registry: Registry) -> None:
    assert check(ROOT / "leaderboards", registry) == []


def test_an_edited_number_is_named_with_file_and_line(boards: Path, registry: Registry) -> None:
    file = boards / "quick.md"
    lines = file.read_text().splitlines()
    number = next(n for n, line in enumerate(lines) if "item-knn" in line)
    lines[number] = lines[number].replace("0.1", "0.2", 1)
    file.write_text("\n".join(lines) + "\n")
    [faults] = check(boards, registry)
    assert faults.startswith(f"{file}:{number + 1}: is ") and "its records give" in faults


def test_records_that_the_ranks_do_not_give(boards: Path, registry: Registry) -> None:
    file = boards / "records" / "quick.json"
    records: dict[str, Any] = json.loads(file.read_text())
    row = next(r for r in records["results"] if r["status"] == "done")
    row["metrics"]["mean"]["NDCG@10"] += 0.01
    file.write_text(json.dumps(records, indent=1, sort_keys=True) + "\n")
    faults = check(boards, registry)
    of_records = [line for line in faults if str(file) in line]
    assert len(of_records) == 1 and f"{row['key']}.metrics.mean.NDCG@10" in of_records[0]
    line = int(of_records[0].removeprefix(f"{file}:").partition(":")[0])
    assert "NDCG@10" in file.read_text().splitlines()[line - 1]
    assert any(f"{boards / 'quick.md'}:" in line for line in faults)


def test_missing_and_stray_files(boards: Path, registry: Registry) -> None:
    (boards / "regression.md").unlink()
    (boards / "figures").mkdir()
    (boards / "figures" / "quick-made-up.svg").write_text("<svg/>")
    (boards / "quick-cost.md").write_bytes((boards / "quick-cost.md").read_bytes() + b"\n")
    faults = check(boards, registry)
    assert len(faults) == 3
    assert any("regression.md: missing" in line for line in faults)
    assert any("quick-made-up.svg: no records make this file" in line for line in faults)
    assert any("quick-cost.md" in line for line in faults)


def test_the_site_is_rendered_again(boards: Path, registry: Registry) -> None:
    site = boards / "site"
    write_site(render_site(load_suites(boards / "records"), registry), site)
    assert check(boards, registry) == []
    data = site / "data" / "quick.js"
    lines = data.read_text().splitlines()
    number = next(n for n, line in enumerate(lines) if '"item-knn"' in line)
    lines[number] = lines[number].replace("0.1", "0.2", 1)
    data.write_text("\n".join(lines) + "\n")
    (site / "methods" / "ties.html").unlink()
    (site / "methods" / "made-up.html").write_text("<p>")
    faults = check(boards, registry)
    assert len(faults) == 3
    assert any(f.startswith(f"{data}:{number + 1}: is ") for f in faults)
    assert any("ties.html: missing; `recmerge-bench leaderboard site`" in f for f in faults)
    assert any("made-up.html: no records make this file" in f for f in faults)


def test_ranks_over_domains_that_the_ranks_do_not_give(tmp_path: Path, registry: Registry) -> None:
    folder = tmp_path / "boards"
    (folder / "records").mkdir(parents=True)
    for file in (ROOT / "leaderboards").glob("ml100k*.md"):
        shutil.copy(file, folder)
    for file in (ROOT / "leaderboards" / "records").glob("ml100k.*"):
        shutil.copy(file, folder / "records")
    file = folder / "records" / "ml100k.json"
    records = json.loads(file.read_text())
    records["across"][0]["rows"][0]["mean_rank"] += 1
    file.write_text(json.dumps(records, indent=1))
    assert any(": across.0.rows.0.mean_rank is " in line for line in check(folder, registry))


def test_the_command(boards: Path, tmp_path: Path) -> None:
    def asked(folder: Path) -> Any:
        return CliRunner().invoke(cli, ["leaderboard", "check", str(folder)], standalone_mode=False)

    good = asked(boards)
    assert good.return_value == 0 and "0 thing(s) wrong" in good.output
    (boards / "quick.md").unlink()
    assert asked(boards).return_value == 1
    assert "no records/" in str(asked(tmp_path).exception)


def test_records_are_made_again_of_their_ranks(tmp_path: Path, registry: Registry) -> None:
    records, tables = suite(registry, seeds=(0, 1, 2))
    records |= {"schema": 2, "comparisons": [], "across": []}
    folder = tmp_path / "records"
    records["results"][0]["metrics"]["mean"]["MRR"] = 0.5  # not what the ranks give
    write_json(folder / "fake.json", records)
    write_json(folder / "fake.cost.json", {"schema": 2, "suite": "fake", "results": []})
    write_all_ranks(folder / "fake.ranks.parquet", tables)
    command = ["leaderboard", "build", "--records", str(folder), "--to", str(tmp_path)]
    CliRunner().invoke(cli, [*command, "--from-ranks"], standalone_mode=False)
    assert check(tmp_path, registry) == []
    again = json.loads((folder / "fake.json").read_text())
    assert again["schema"] == schema_numbers.RECORDS and again["comparisons"] and again["across"]
    assert "no verdict (3 of 5 seeds)" in (tmp_path / "fake.md").read_text()
    refused = CliRunner().invoke(
        cli, ["leaderboard", "build", "--out", str(tmp_path), "--from-ranks"]
    )
    assert "--from-ranks goes with --records" in str(refused.exception)
