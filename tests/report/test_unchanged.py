"""After a run, records and boards are made again only where what they are made of changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recmerge_bench import run
from recmerge_bench.report.publishing import unchanged

METRIC = """
import numpy as np
from recmerge_bench.api import MetricDefinition, MetricSpec, hookimpl

class Half(MetricDefinition):
    def value(self, rank, k):
        return np.full(len(rank), {value})

@hookimpl
def recmerge_bench_register():
    return [MetricSpec(name="constant", target=f"{{__name__}}:Half", summary="Constant")]
"""


def suite() -> dict[str, Any]:
    return {
        "name": "small", "seeds": [0], "threads": 1, "metrics": ["NDCG@10"],
        "tracks": {"counting": {
            "tuning": "none", "dataset": "synthetic", "domains": ["d0", "d1"],
            "dataset_options": {
                "users": 12, "items": 20, "n_domains": 2, "clusters": 4, "mean_length": 6.0},
            "protocols": ["loo"], "rows": [{"method": "popularity"}],
        }},
    }  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    run(suite(), out=out, progress=False)
    return out


@pytest.fixture
def made(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """A run's folder, and a list that grows by a suite's name when its boards are made."""
    out, again = tmp_path / "out", list[str]()
    shutil.copytree(finished, out)
    build = unchanged.build

    def counted(*given: Any) -> list[Path]:
        again.append(given[-1])
        return build(*given)

    monkeypatch.setattr(unchanged, "build", counted)
    return out, again


def contents(out: Path) -> dict[str, bytes]:
    return {
        p.relative_to(out).as_posix(): p.read_bytes()
        for folder in ("boards", "records") for p in sorted((out / folder).rglob("*.*"))
    }  # fmt: skip


def test_what_did_not_change_is_not_made_again(made: tuple[Path, list[str]]) -> None:
    out, again = made
    first = contents(out)
    done = run(suite(), out=out, progress=False)
    assert again == [] and contents(out) == first
    assert {p.name for p in done.files} >= {"small.md", "small.json", "small.ranks.parquet"}
    assert done.results.records.results[0].done


def test_a_file_that_is_not_as_written_is_made_again(made: tuple[Path, list[str]]) -> None:
    """Cut short, changed or taken away: the same bytes come back."""
    out, again = made
    first = contents(out)
    harms: list[Callable[[Path], object]] = [
        lambda p: p.unlink(), lambda p: p.write_bytes(p.read_bytes()[:-1] + b"?"),
        lambda p: os.truncate(p, p.stat().st_size // 2),
    ]  # fmt: skip
    for number, name in enumerate(first):
        harms[number % len(harms)](out / name)
        run(suite(), out=out, progress=False)
        assert contents(out) == first, name
    assert len(again) == len(first) > len(harms)


@pytest.mark.parametrize("text", ["", "[]", '{"content": "", "files": [1]}'])
def test_a_damaged_note_is_none(made: tuple[Path, list[str]], text: str) -> None:
    out, again = made
    first, note = contents(out), out / "made" / "small.json"
    whole = note.read_text()
    note.write_text(text)
    run(suite(), out=out, progress=False)
    assert again == ["small"] and contents(out) == first and note.read_text() == whole


def test_a_note_leads_nowhere_else(made: tuple[Path, list[str]]) -> None:
    out, again = made
    note = out / "made" / "small.json"
    raw = json.loads(note.read_text())
    raw["files"][0][0] = "../elsewhere.md"
    note.write_text(json.dumps(raw))
    run(suite(), out=out, progress=False)
    assert again == ["small"]


def test_a_cell_that_is_gone_counts(made: tuple[Path, list[str]]) -> None:
    """Its provenance stands in the records."""
    out, again = made
    for record in sorted((out / "store").glob("*/*/record.json")):
        if json.loads(record.read_text())["kind"] == "train":
            os.rename(record.parent, out / "gone")
            break
    run(suite(), out=out, progress=False)
    assert again == ["small"]


def test_changed_code_of_a_plugin_counts(tmp_path: Path) -> None:
    """The metric's name is as it was, and its value is not."""
    plugin, out = tmp_path / "own_metric.py", tmp_path / "out"
    asked = {**suite(), "metrics": ["NDCG@10", "constant"]}

    def value(of: float) -> float:
        plugin.write_text(METRIC.format(value=of))
        done = run(asked, out=out, plugins=[str(plugin)], progress=False)
        return float(done.results.records.results[0].metrics["mean"]["constant"])

    assert [value(0.25), value(0.5), value(0.5)] == [0.25, 0.5, 0.5]
