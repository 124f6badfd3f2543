"""Estimates rest on what was measured: in this store, then on published boards; a guess is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import recmerge_bench
from recmerge_bench.planning.cells import BOARD, GUESS, STORE, Cell, Plan, Result
from recmerge_bench.running.cost_files import published_costs
from recmerge_bench.running.estimate import measured
from recmerge_bench.running.store import Store


def identity(method: str, backbone: str = "", dataset: str = "shop") -> dict[str, Any]:
    return {"dataset": dataset, "backbone": backbone, "method": method, "seed": 0}


def costs(path: Path, *entries: tuple[dict[str, Any], dict[str, float]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    results = [{"identity": who, "seconds": seconds} for who, seconds in entries]
    path.write_text(json.dumps({"results": results}))
    return path


def plan(*rows: tuple[str, str]) -> Plan:
    """A training, a merge and a rank cell for each (method, backbone); a data cell for all."""
    made = Plan("suite")
    made.add(Cell("d", "data", "data shop", {}, {"config": {}}))
    for method, backbone in rows:
        model = backbone or method
        config = {"model": model, "counting": model == "counts"}
        train = Cell(f"t-{model}", "train", f"train {model}", {"data": "d"}, {"config": config})
        inputs = {"train": made.add(train)}
        if backbone:
            merge = Cell(f"m-{method}", "merge", f"merge {method}", inputs, {"config": {}})
            inputs = {"merge": made.add(merge)}
        key = made.add(Cell(f"r-{method}", "rank", f"rank {method}", inputs, {"config": {}}))
        made.results.append(Result(key, identity(method, backbone), ("a",)))
    return made


def test_from_the_most_alike_to_a_guess(tmp_path: Path) -> None:
    asked = plan(("model", ""), ("other", ""), ("ties", "net"), ("counts", ""))
    store = Store(tmp_path / "out")
    own = costs(store.out / "records/before.cost.json", (identity("other"), {"train:x": 90.0}))
    of_suite = costs(
        tmp_path / "boards/suite.cost.json",
        (identity("model"), {"train:train model": 300.0, "data:data shop": 4.0}),
    )
    of_others = costs(
        tmp_path / "boards/b.cost.json",
        (identity("other"), {"train:y": 1000.0}),
        (identity("else", "net"), {"train:base": 500.0, "train:z": 700.0, "merge:m": 9.0}),
        (identity("ties", "net"), {"merge:ties elsewhere": 7.0, "train:base": 500.0}),
        (identity("else", "net", "another shop"), {"train:far": 5.0}),
        (identity("counts"), {"rank:of counts": 2.0}),
    )
    boards = [of_suite, of_others]
    cells = measured(asked, store, (), boards).cells
    found = {key: (cell.cost, cell.basis) for key, cell in cells.items()}
    assert found["t-model"] == (300.0, BOARD), "the same cell of the suite's board"
    assert found["d"] == (4.0, BOARD)
    assert found["t-other"] == (90.0, STORE), "this store's records come first"
    assert found["t-net"] == (600.0, BOARD), "the backbone's, whatever was merged of it"
    assert found["m-ties"] == (7.0, BOARD), "the strategy's own"
    assert found["r-counts"] == (2.0, BOARD)
    assert found["t-counts"] == (1.0, GUESS) and found["r-model"] == (1.0, GUESS)
    assert all(cells[key].key == key and cells[key].job == asked.cells[key].job for key in cells)
    own.unlink()
    assert measured(asked, store, (), boards).cells["t-other"].cost == 1000.0


def test_a_model_that_was_never_measured_is_as_others_on_its_data(tmp_path: Path) -> None:
    asked = plan(("new", ""), ("counts", ""))
    board = costs(
        tmp_path / "b.cost.json",
        (identity("model"), {"train:a": 100.0}),
        (identity("heavy"), {"train:b": 300.0}),
        (identity("counts"), {"train:c": 0.1}),
        (identity("model", dataset="elsewhere"), {"train:d": 9e9}),
    )
    cells = measured(asked, Store(tmp_path / "out"), (), [board]).cells
    assert (cells["t-new"].cost, cells["t-new"].basis) == (200.0, BOARD)
    assert (cells["t-counts"].cost, cells["t-counts"].basis) == (0.1, BOARD)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"results": [1]}', '{"results": [{"seconds": {"train:a": "x"}}]}']
)
def test_a_file_that_is_none_tells_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.cost.json"
    path.write_text(text)
    asked = plan(("model", ""))
    cells = measured(asked, Store(tmp_path / "out"), (), [path]).cells
    assert all(cell.basis == GUESS for cell in cells.values())


def test_what_lies_beside_where_one_works_comes_before_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checkout = Path(recmerge_bench.__file__).resolve().parents[1] / "leaderboards/records"
    assert all(path.parent == checkout for path in published_costs())
    mine = costs(tmp_path / "leaderboards/records/mine.cost.json")
    assert published_costs() == [mine]


def test_a_plan_says_what_it_rests_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = recmerge_bench.plan("quick", out=tmp_path / "out")
    guessed = recmerge_bench.plan("quick", out=tmp_path / "out", only="method=popularity")
    costs(
        tmp_path / "leaderboards/records/quick.cost.json",
        ({**identity("popularity", dataset="ml-100k")}, {"rank:any": 50.0}),
    )
    again = recmerge_bench.plan("quick", out=tmp_path / "out", only="method=popularity")
    assert [c.key for c in again.cells] == [c.key for c in guessed.cells]
    ranks = [c for c in again.cells if c.kind == "rank"]
    assert ranks and all((c.seconds, c.basis) == (50.0, BOARD) for c in ranks)
    assert again.bases[BOARD] == (len(ranks), 50.0 * len(ranks))
    assert sum(cells for cells, _ in made.bases.values()) == made.count("to do")


@pytest.mark.parametrize("wrong", ["nan", "inf", -5.0, 1e300, True, None, [1.0]])
def test_a_cost_file_with_no_seconds_tells_nothing(tmp_path: Path, wrong: Any) -> None:
    """It may be a stranger's: whatever lies below the working folder is read."""
    file = costs(
        tmp_path / "suite.cost.json",
        (identity("model"), {"train:train model": wrong, "rank:rank model": 3.0}),
    )
    made = measured(plan(("model", "")), Store(tmp_path / "out"), boards=[file])
    assert made.cells["t-model"].basis == GUESS and made.cells["t-model"].cost == 1.0
