"""Runs whose comparisons have nothing to rest on: the board stands, and says why there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recmerge_bench.cli import cli

SUITE = """\
name: case
title: A case
seeds: [0]
tracks:
  t:
    dataset: atomic-folder
    dataset_options: {path: data}
    domains: [a, b]
    protocols: [loo]
    baseline: popularity
    rows: [popularity, last-item, item-knn]
"""
HEAD = "user_id:token\titem_id:token\ttimestamp:float\tdomain:token\n"


def ran(tmp_path: Path, users: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The records of a run; `users` of each domain have six events, 40 others too few to test."""
    rows = []
    for domain, count in users.items():
        for user in range(40):
            for at in range(6 if user < count else 2):
                item = (user * (at + 1) + at // 2) % 7 if domain == "a" else at % 2
                rows.append(f"{domain}{user}\t{domain}{item}\t{at}\t{domain}\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "set.inter").write_text(HEAD + "".join(rows))
    (tmp_path / "case.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    args = ["run", "--suite", "case.yaml", "--data-root", ".", "--out", "out"]
    ended = CliRunner().invoke(cli, args, standalone_mode=False)
    assert ended.return_value == 0, ended.output
    document: dict[str, Any] = json.loads((tmp_path / "out" / "records" / "case.json").read_text())
    return document


@pytest.mark.parametrize(
    ("users", "message"),
    [
        ({"a": 40, "b": 1}, "no verdict (1 of 30 users)"),
        ({"a": 2, "b": 2}, "no verdict (2 of 30 users)"),
        ({"a": 0, "b": 40}, "no verdict (every user differs alike)"),
    ],
)
def test_the_board_stands_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, users: dict[str, int], message: str
) -> None:
    records = ran(tmp_path, users, monkeypatch)
    [family] = records["comparisons"]
    last = next(row for row in family["rows"] if row["method"] == "last-item")
    for key in ("trained_models", "methods", "sign_flip", "bootstrap"):
        assert last[key] is None
    text = (tmp_path / "out" / "boards" / "case.md").read_text()
    assert message in next(line for line in text.splitlines() if "| last-item" in line)
    full = (tmp_path / "out" / "boards" / "case-full.md").read_text()
    assert message in full and "< 0.001" not in full
    assert "across" not in records or all(not row["groups"] for row in records["across"][0]["rows"])
