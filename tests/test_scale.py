"""Measurements of growth: tables from the records, exponents from the points, scripts that run."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT, tool

SCALE = ROOT / "benchmarks" / "scale"
SCRIPTS = ("plan_cells", "prepare_events", "rank_items", "rank_users", "rank_domains",
           "merge_experts", "cached_run", "read_records", "waiting_cells")  # fmt: skip


@pytest.fixture
def report() -> ModuleType:
    return tool("benchmarks/scale/report.py")


def test_exponents_are_those_of_the_points(report: ModuleType) -> None:
    """Slopes by the textbook's sums, beside those that the records hold."""
    assert report.records()
    for record in report.records():
        for series, exponent in record["exponents"].items():
            own = [p for p in record["points"] if p["series"] == series]
            if len(own) < 2:
                assert exponent is None
                continue
            x = [math.log(p["size"]) for p in own]
            y = [math.log(p[record["figure"]]) for p in own]
            n, mean_x, mean_y = len(own), sum(x) / len(own), sum(y) / len(own)
            above = sum(a * b for a, b in zip(x, y, strict=True)) - n * mean_x * mean_y
            slope = above / (sum(a * a for a in x) - n * mean_x**2)
            assert exponent == pytest.approx(slope, abs=6e-4), (record["topic"], series)


def test_records_say_where_they_were_measured(report: ModuleType) -> None:
    for record in report.records():
        for point in record["points"]:
            assert {"cpu", "cores", "commit", "date"} <= point["machine"].keys()
            assert point["wall_s"] > 0 and point["cpu_s"] >= 0 and point["anonymous_mb"] > 0


def test_a_floor_is_met_only_by_a_value_that_was_measured(report: ModuleType) -> None:
    for floor in report.floors():
        expected = floor["value"] is not None and floor["value"] <= floor["at_most"]
        assert floor["met"] is expected
    record = {"topic": "t", "points": [{"series": "", "size": 5, "cpu_s": 2.0}]}
    asked = {"series": "", "size": 5, "figure": "cpu_s"}
    assert report.measured(record, asked) == 2.0
    assert report.measured(record, {**asked, "size": 6}) is None


def test_each_record_has_its_picture_in_the_readme(report: ModuleType) -> None:
    pytest.importorskip("matplotlib")
    text = (SCALE / "README.md").read_text(encoding="utf-8")
    for record in report.records():
        assert f"figures/{record['topic']}.svg" in text
        assert (SCALE / "figures" / f"{record['topic']}.svg").is_file()
    assert "<svg" in report.picture(report.records()[0])


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_runs_at_a_tiny_size(script: str, tmp_path: Path) -> None:
    path = SCALE / f"{script}.py"
    size = {"plan_cells": 40, "prepare_events": 1000, "rank_items": 200, "rank_users": 50,
            "rank_domains": 4, "merge_experts": 2, "cached_run": 20, "read_records": 40,
            "waiting_cells": 4}[script]  # fmt: skip
    command = [sys.executable, str(path), "--sizes", str(size), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [record] = [json.loads(p.read_text()) for p in tmp_path.glob("*.json")]
    assert {p["size"] for p in record["points"]} == {size}
    assert {p["series"] for p in record["points"]} == set(record["exponents"])
