"""A board of several runs: what stays, what does not, and that it is the board of one run."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from little_suite import LITTLE

from recmerge_bench.cli import cli
from recmerge_bench.registry import Registry
from recmerge_bench.results.files import load_costs, load_records, save_records
from recmerge_bench.results.kept import with_kept
from recmerge_bench.results.rank_files import ranks_of
from recmerge_bench.results.rank_tables import same_ranks
from recmerge_bench.results.suite_files import read_suite_files


@pytest.fixture(scope="module")
def suite() -> dict[str, Any]:
    """Two seeds, groups, list metrics, sampled candidates; a second track shares all cells."""
    some = copy.deepcopy(LITTLE)
    some["tracks"]["merging"]["protocols"] = ["loo", "loo-sampled-99"]
    some["tracks"]["again"] = copy.deepcopy(some["tracks"]["merging"])
    some |= {"seeds": [0, 1], "groups": ["history"]}
    some["metrics"] = ["NDCG@10", "coverage@10"]
    return some


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, suite: dict[str, Any]) -> Path:
    """``both``: a run of both seeds; ``zero`` and ``one``: of one each, in stores of their own."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "little.yaml").write_text(yaml.safe_dump(suite))
    counting = ["--only", "method=popularity"]
    for name, only in (
        ("both", []),
        ("zero", ["--only", "seed=0", *counting]),
        ("one", ["--only", "seed=1"]),
    ):
        _run(folder / name, folder / "little.yaml", *only)
    return folder


def _run(out: Path, suite: Path, *more: str) -> None:
    done = _command("run", "--suite", str(suite), "--out", str(out), *more)
    assert done.exit_code == 0, done.output


def _command(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def _build(out: Path, to: Path, *more: str) -> Result:
    return _command("leaderboard", "build", "--out", str(out), "--to", str(to), *more)


def test_a_board_of_two_runs_is_the_board_of_one(runs: Path, tmp_path: Path) -> None:
    for name in ("zero", "one"):
        done = _build(runs / name, tmp_path / "joined", "--keep")
        assert done.exit_code == 0 and "left out" not in done.output
    assert _build(runs / "both", tmp_path / "whole").exit_code == 0
    joined, whole = (tmp_path / name / "records" / "little.json" for name in ("joined", "whole"))
    assert joined.read_bytes() == whole.read_bytes()
    costs = [{c.identity: c.key for c in load_costs(p.with_name("little.cost.json")).results}
             for p in (joined, whole)]  # fmt: skip
    done = {r.identity: r.key for r in load_records(joined).results if r.done}
    assert costs[0] == costs[1] == done and len(done) > len(set(done.values()))
    assert set(done.values()) == set(ranks_of(joined)) == set(ranks_of(whole))
    checked = _command("leaderboard", "check", str(tmp_path / "joined"))
    assert checked.exit_code == 0 and checked.output.startswith("0 thing(s) wrong")


def test_without_keep_the_run_alone_is_the_board(runs: Path, tmp_path: Path) -> None:
    for name in ("zero", "one"):
        assert _build(runs / name, tmp_path).exit_code == 0
    records = load_records(tmp_path / "records" / "little.json")
    assert {r.identity.seed for r in records.results if r.done} == {1}


def test_keeping_twice_changes_nothing(runs: Path, tmp_path: Path) -> None:
    for name in ("zero", "one"):
        _build(runs / name, tmp_path, "--keep")
    before = {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}
    assert _build(runs / "one", tmp_path, "--keep").exit_code == 0
    assert {p: p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()} == before


def test_rows_of_another_configuration_do_not_stay(
    runs: Path, tmp_path: Path, suite: dict[str, Any]
) -> None:
    _build(runs / "zero", tmp_path, "--keep")
    other = copy.deepcopy(suite)
    for track in other["tracks"].values():
        track["training"]["lr"] = 0.002
    (tmp_path / "little.yaml").write_text(yaml.safe_dump(other))
    _run(tmp_path / "run", tmp_path / "little.yaml", "--only", "method=task-arithmetic,seed=1")
    done = _build(tmp_path / "run", tmp_path, "--keep")
    assert "task-arithmetic" in done.output and "another configuration now" in done.output
    records = load_records(tmp_path / "records" / "little.json")
    stay = {(r.identity.method, r.identity.seed) for r in records.results if r.done}
    assert ("popularity", None) in stay and ("task-arithmetic", 0) not in stay


def test_rows_that_the_suite_has_no_more_do_not_stay(
    runs: Path, tmp_path: Path, suite: dict[str, Any]
) -> None:
    _build(runs / "both", tmp_path)
    fewer = copy.deepcopy(suite)
    for track in fewer["tracks"].values():
        track["rows"] = ["popularity"]
    (tmp_path / "little.yaml").write_text(yaml.safe_dump(fewer))
    _run(tmp_path / "run", tmp_path / "little.yaml")
    done = _build(tmp_path / "run", tmp_path, "--keep")
    assert "no row of the suite any more" in done.output
    records = load_records(tmp_path / "records" / "little.json")
    assert {r.identity.method for r in records.results} == {"popularity"}


def test_rows_of_other_data_are_an_error(runs: Path, tmp_path: Path) -> None:
    _build(runs / "zero", tmp_path)
    path = tmp_path / "records" / "little.json"
    records = load_records(path)
    save_records(path, records.changed(results=[
        r.changed(data="0" * 64) if r.done else r for r in records.results
    ]))  # fmt: skip
    before = path.read_bytes()
    done = _build(runs / "one", tmp_path, "--keep")
    assert "its data is not the same as in" in str(done.exception)
    assert "--keep" in str(done.exception) and path.read_bytes() == before


def test_a_submitted_row_stays(runs: Path, tmp_path: Path, suite: dict[str, Any]) -> None:
    theirs = copy.deepcopy(suite)
    theirs["tracks"] = {"merging": {**theirs["tracks"]["merging"], "rows": ["last-item"]}}
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump(theirs))
    _run(tmp_path / "theirs", tmp_path / "theirs.yaml", "--only", "method=last-item")
    sent = _command("submit", str(tmp_path / "theirs"), "--to", str(tmp_path / "sent"),
                    "--only", "method=last-item")  # fmt: skip
    assert sent.exit_code == 0, sent.output
    _build(runs / "zero", tmp_path / "boards")
    bundle = next((tmp_path / "sent").iterdir())
    added = _command("leaderboard", "add", str(bundle), "--accept-flagged",
                     "--to", str(tmp_path / "boards"))  # fmt: skip
    assert added.exit_code == 0, added.output
    _build(runs / "one", tmp_path / "boards", "--keep")
    records = load_records(tmp_path / "boards" / "records" / "little.json")
    assert [r.identity.method for r in records.results if r.submitted] == ["last-item"] * 2


def test_one_key_with_other_ranks_on_each_machine_is_two(runs: Path, registry: Registry) -> None:
    """A training may end elsewhere on another processor: the key of its cell is the same."""
    board = read_suite_files(runs / "both" / "records" / "little.json")
    made = read_suite_files(runs / "one" / "records" / "little.json")
    row = next(r for r in board.records.results if r.done and r.identity.seed == 0)
    other = next(
        r for r in made.records.results if r.done and r.identity.place == row.identity.place
    )
    taken = replace(made.ranks[other.key], n_better=made.ranks[other.key].n_better + 1)
    made = replace(made, ranks={**made.ranks, row.key: taken})
    joined = with_kept(registry, made, board, lambda _: None)
    [kept] = [r for r in joined.records.results if r.identity == row.identity]
    assert kept.key != row.key and same_ranks(joined.ranks[kept.key], board.ranks[row.key])
    assert same_ranks(joined.ranks[row.key], taken)
    assert [c.key for c in joined.costs.results if c.identity == row.identity] == [kept.key]
    again = with_kept(registry, made, joined, lambda _: None)
    assert [r.key for r in again.records.results] == [r.key for r in joined.records.results]


def test_keep_goes_with_out(tmp_path: Path) -> None:
    done = _command("leaderboard", "build", "--records", str(tmp_path), "--keep")
    assert "--keep goes with --out" in str(done.exception)


def test_a_first_board_may_be_built_with_keep(runs: Path, tmp_path: Path) -> None:
    assert _build(runs / "zero", tmp_path, "--keep").exit_code == 0
    assert (tmp_path / "little.md").is_file()
