"""The notebook in docs/ runs, and what its texts say is what its cells give."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

NOTEBOOK = ROOT / "docs" / "tour.ipynb"


def executed(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line if that is an expression, as a notebook shows it."""
    tree = ast.parse(source)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "cell", "exec"), names)
        return None
    before = ast.Module(tree.body[:-1], [])
    exec(compile(before, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return document


def test_no_output_is_stored_and_no_text_states_a_number_of_results(
    notebook: dict[str, Any],
) -> None:
    assert notebook["nbformat"] == 4
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
        else:
            assert "0." not in "".join(cell["source"])


def test_the_tour_runs_and_its_texts_are_true(
    notebook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "tour"}
    shown = [
        executed("".join(cell["source"]), names)
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    assert capsys.readouterr().out == "", "in a notebook progress is quiet"
    for value in shown:
        if hasattr(value, "_repr_html_"):
            assert "<table" in value._repr_html_()
    plan, run, changed_run = shown[1], names["run"], names["mine"]
    assert plan.count("done") == 0 and plan.count("to do") == len(plan.cells)
    assert run.ok and not run.missing and run.computed == len(plan.cells)
    frame = names["frame"]
    assert set(frame.method) == {
        "popularity", "last-item", "fine-tune", "task-arithmetic", "ties",
    }  # fmt: skip
    assert set(frame["configuration.protocol.name"]) == {"loo"}
    assert set(names["users"]["value"]) <= {0.0, 1.0} and len(names["users"]) == 400
    # a board's verdict without a seed; one seed says nothing about methods
    [board] = [x for x in shown if getattr(x, "family", "") == "board"]
    assert board.first == "last-item" and board.seeds == () and board.verdict == "better"
    ties = names["ties"]
    assert ties.family == "pair" and ties.verdict == "no verdict" and ties.models.p is not None
    assert ties.methods.reason == "1 of 5 seeds"
    assert names["merged"].keys() == {n for n in names["base"] if not n.startswith("tables.")}
    # the plugin's merge and ranks alone were computed
    assert (
        changed_run.computed == 2
        and changed_run.ok
        and set(changed_run.to_pandas().method) == {"median"}
    )
    [median] = [x for x in shown if getattr(x, "first", "") == "median"]
    assert median.difference == pytest.approx(median.first_mean - median.second_mean)
    assert "did you mean 'ties'" in shown[-1]
