"""`recmerge-bench results`: a line for each row and seed; what was not run on demand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

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
