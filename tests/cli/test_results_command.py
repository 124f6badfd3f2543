"""`recmerge-bench results`: a line for each row and seed; what was not run on demand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import recmerge_bench as rmb
from recmerge_bench.cli import cli

SUITE = {
    "name": "counts", "seeds": [0], "metrics": ["NDCG@10", "HR@10"],
    "tracks": {
        "counting": {
            "dataset": "synthetic", "dataset_options": {"n_domains": 2, "items": 60, "users": 60},
            "domains": ["d0", "d1"], "protocols": ["loo"], "rows": ["popularity", "last-item"],
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    rmb.run(SUITE, out=folder, only="method=popularity")
    return folder


def results(out: Path, *words: str) -> str:
    return CliRunner().invoke(cli, ["results", "--out", str(out), *words]).stdout


def test_a_line_for_each_row_and_what_was_not_run_on_demand(out: Path) -> None:
    text = results(out)
    assert text.startswith("counts, counting, loo\n") and text.count("popularity") == 1
    assert "last-item" not in text and text.endswith("1 more not run: --all shows them\n")
    whole = results(out, "--all", "--domains")
    assert whole.count("popularity") == 3 and whole.count("last-item") == 3
    assert "not run" in whole and "more not run" not in whole
    assert max(map(len, (text + whole).splitlines())) <= 80


def test_its_numbers_are_those_of_the_json(out: Path) -> None:
    rows = json.loads(results(out, "--json"))
    [mean] = [r for r in rows if r["domain"] == "mean" and r["status"] == "done"]
    line = next(x for x in results(out).splitlines() if x.startswith("popularity"))
    assert line.split()[1:] == [f"{mean['metrics'][m]:.4f}" for m in ("NDCG@10", "HR@10")]


OWN = """
import numpy as np
from recmerge_bench.api import MetricDefinition, MetricSpec, hookimpl


class Top(MetricDefinition):
    def value(self, rank, k):
        return np.where(rank <= 1, 1.0, 0.0)


@hookimpl
def recmerge_bench_register():
    return [MetricSpec("top-one", f"{__name__}:Top", "share of targets at rank 1")]
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a metric of a file, which later commands are not told of."""
    folder: Path = tmp_path_factory.mktemp("own")
    (folder / "top_one.py").write_text(OWN)
    suite = {**SUITE, "metrics": ["NDCG@10", "top-one", "HR@10"]}
    (folder / "mine.yaml").write_text(json.dumps(suite))
    words = ["-p", "top_one.py", "run", "--suite", "mine.yaml", "--only", "method=popularity"]
    command = [sys.executable, "-m", "recmerge_bench", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def invoked(own: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(own)
    return CliRunner().invoke(cli, list(words))


def test_a_suites_file_names_it(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["results", "--suite", "mine.yaml"], ["show", "mine.yaml"]):
        ran = invoked(own, monkeypatch, "-p", "top_one.py", *command)
        assert ran.exit_code == 0 and "popularity" in ran.stdout, ran.output
    gone = invoked(own, monkeypatch, "results", "--suite", "gone.yaml")
    assert "no such suite file: gone.yaml" in str(gone.exception)


def test_a_metric_whose_plugin_is_not_loaded_costs_a_line(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "metric 'top-one' is left out: no plugin registers the metric 'top-one'; "
    ran = invoked(own, monkeypatch, "results")
    assert ran.exit_code == 0 and "HR@10" in ran.stdout and "top-one" not in ran.stdout
    assert ran.stderr.startswith(f"note: {line}") and ran.stderr.count("\n") == 1
    assert "`recmerge-bench -p " in ran.stderr
    [row, *_] = json.loads(invoked(own, monkeypatch, "results", "--json").stdout)
    assert set(row["metrics"]) == {"NDCG@10", "HR@10"}
    built = invoked(own, monkeypatch, "leaderboard", "build", "--out", "runs", "--to", "boards")
    assert built.exit_code == 0 and built.stderr.startswith(f"note: counts: {line}"), built.output
    board = (own / "boards" / "counts-full.md").read_text()
    assert "HR@10" in board and "top-one" not in board
    whole = invoked(own, monkeypatch, "-p", "top_one.py", "results")
    assert "top-one" in whole.stdout and whole.stderr == ""
