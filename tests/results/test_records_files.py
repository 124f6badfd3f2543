"""Records files: damage is named, old schemas load, differences are found, commands answer."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boards_builders as made
import pytest
import submission_builders as sent
from click.testing import CliRunner
from json_boards import compare

from recmerge_bench import schema_numbers
from recmerge_bench.cli.leaderboard import leaderboard
from recmerge_bench.cli.results import results
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.results import migrations
from recmerge_bench.results.files import cost_path, load_costs, load_records

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fake.json").write_text(json.dumps(made.records()))
    (tmp_path / "fake.cost.json").write_text(json.dumps(made.costs()))
    return tmp_path


def test_whole_records_load_as_they_are(folder: Path) -> None:
    assert load_records(folder / "fake.json").to_json() == made.records()
    assert load_costs(folder / "fake.cost.json").to_json() == made.costs()


DAMAGE: list[tuple[Edit, str]] = [
    (lambda r: r.pop("schema"), "lacks schema"),
    (lambda r: r.update(schema=99), "schema 99 is unknown"),
    (lambda r: r.pop("suite"), "suite"),
    (lambda r: r.update(results=3), "results"),
    (lambda r: r["results"].append(5), "results.10"),
    (lambda r: r["results"][1].pop("metrics"), "results.1.*metrics"),
    (lambda r: r["results"][1]["identity"].pop("method"), "results.1.identity.method"),
    (lambda r: r["results"][1]["metrics"]["books"].update(MRR="x"), "results.1.metrics.books.MRR"),
    (lambda r: r["results"][1]["metrics"]["books"].update(MRR=float("nan")), "no number of JSON"),
    (lambda r: r["results"][1]["identity"].update(track="x"), "results.1.*no track 'x'"),
    (lambda r: r["header"].update(label="smok"), "header.label"),
    (lambda r: r["header"].update(metrics=[]), "header.metrics"),
    (lambda r: r["header"].update(order=[]), "order"),
    (lambda r: r["results"][1]["configuration"].pop("method"), "results.1.configuration.method"),
    (lambda r: r["results"][1].update(configuration=None), "results.1.*stand together"),
    (lambda r: r["results"][1]["configuration"].update(threads="one"), "configuration.threads"),
    (lambda r: r["results"][1]["configuration"].update(threads=2), "results.1: configuration_sha"),
    (
        lambda r: r["results"][2].update(made.configured(r["results"][2]["identity"], lr=1)),
        "results.1 and results.2 are seeds of one row.*different configurations",
    ),
]


@pytest.mark.parametrize(("edit", "message"), DAMAGE)
def test_damage_is_one_line_with_file_and_place(folder: Path, edit: Edit, message: str) -> None:
    records = made.records()
    edit(records)
    (folder / "fake.json").write_text(json.dumps(records))
    with pytest.raises(HandledError, match=message) as caught:
        load_records(folder / "fake.json")
    assert str(folder / "fake.json") in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_no_json_or_not_there(folder: Path) -> None:
    (folder / "fake.json").write_text('{"schema": 1,\n "suite" 3}')
    with pytest.raises(HandledError, match=r"fake\.json:2: not readable"):
        load_records(folder / "fake.json")
    (folder / "fake.cost.json").write_bytes(b"\xff\xfe")
    with pytest.raises(HandledError, match=r"fake\.cost\.json"):
        load_costs(folder / "fake.cost.json")
    with pytest.raises(HandledError, match=r"no such records file.*leaderboard build"):
        load_records(folder / "none.json")


def test_different_results_of_one_name_are_not_averaged(folder: Path) -> None:
    records = made.records()
    twin = copy.deepcopy(records["results"][1])
    records["results"].append({**twin, "key": "f" * 64})
    (folder / "fake.json").write_text(json.dumps(records))
    with pytest.raises(HandledError, match=r"results\.1 and results\.10.*variants of their own"):
        load_records(folder / "fake.json")


def test_older_schemas_are_brought_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(records: dict[str, Any]) -> dict[str, Any]:
        return {**records, "suite": records["suite"] + "-2"}

    monkeypatch.setattr(schema_numbers, "RECORDS", 5)
    monkeypatch.setattr(migrations, "MIGRATIONS", {4: second})
    loaded = load_records(folder / "fake.json").to_json()
    assert loaded["schema"] == 5 and loaded["suite"] == "fake-2"


def test_what_later_versions_add_is_kept(folder: Path) -> None:
    records = made.records()
    records["header"]["new"] = records["results"][0]["new"] = 5
    (folder / "fake.json").write_text(json.dumps(records))
    assert load_records(folder / "fake.json").to_json() == records


def test_compare_finds_a_changed_number_beyond_the_tolerances() -> None:
    old, new = made.records(), made.records()
    assert compare(old, new) == []
    new["results"][1]["metrics"]["books"]["NDCG@10"] = 0.303
    (line,) = compare(old, new)
    assert "books NDCG@10 was 0.300000, is 0.303000" in line and "method=own" in line
    assert compare(old, new, 0.004) == [] and compare(old, new, 0.002) != []
    assert compare(old, new, 0.0, 0.02) == [] and compare(old, new, 0.0, 0.005) != []


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda r: r["results"].pop(0), "is gone"),
        (lambda r: r["results"][0]["metrics"]["books"].update(new=1.0), "was missing"),
        (lambda r: r["results"][0].update(mask_history=False), "mask_history differ"),
        (lambda r: r["results"][0].update(candidates="x"), "candidates differ"),
        (lambda r: r["results"][0].update(status="failed", reason="oh"), "was done, is failed oh"),
    ],
)
def test_compare_tells_what_else_changed(edit: Edit, message: str) -> None:
    new = made.records()
    edit(new)
    (line,) = compare(made.records(), new, 10.0)
    assert message in line
    assert len(compare(new, made.records(), 10.0)) == 1


def test_the_compare_command_ends_with_1_on_a_difference(folder: Path) -> None:
    records = made.records()
    records["results"][1]["metrics"]["books"]["MRR"] += 0.01
    (folder / "b.json").write_text(json.dumps(records))
    files = [str(folder / "fake.json"), str(folder / "b.json")]
    run = CliRunner()
    bad = run.invoke(leaderboard, ["compare", *files], standalone_mode=False)
    assert bad.return_value == 1 and "1 difference(s) beyond 0.0" in bad.output
    fine = run.invoke(
        leaderboard, ["compare", *files, "--tolerance", "0.02"], standalone_mode=False
    )
    assert fine.return_value == 0 and "0 difference(s)" in fine.output


def test_boards_are_built_from_a_run_and_from_records(tmp_path: Path) -> None:
    made.run_folder(tmp_path / "out")
    run, to = CliRunner(), tmp_path / "to"
    output = run.invoke(leaderboard, ["build", "--out", str(tmp_path / "out"), "--to", str(to)])
    assert output.output.count("wrote ") == 7, output.output
    again = ["build", "--records", str(to / "records"), "--to", str(tmp_path / "again")]
    output = run.invoke(leaderboard, again)
    assert output.output.count("wrote ") == 4, output.output
    for name in ("fake.md", "fake-full.md"):
        assert (tmp_path / "again" / name).read_bytes() == (to / name).read_bytes()


@pytest.mark.parametrize(
    "arguments", [["build"], ["build", "--records", "nowhere"], ["build", "--out", "nowhere"]]
)
def test_wrong_use_of_build_is_handled(arguments: list[str]) -> None:
    ended = CliRunner().invoke(leaderboard, arguments)
    assert isinstance(ended.exception, HandledError)


def test_the_results_command_shows_gaps_with_reasons_and_json(tmp_path: Path) -> None:
    out = str(made.run_folder(tmp_path))
    shown = CliRunner().invoke(results, ["--out", out]).output
    assert "0.5089" in shown and "it broke" in shown
    assert "0.5000" in CliRunner().invoke(results, ["--out", out, "--domains"]).output
    document = json.loads(CliRunner().invoke(results, ["--out", out, "--json"]).output)
    assert len(document) == 6 and document[1]["metrics"]["NDCG@10"] == 0.5


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("header", "figures"), {"f": {"kind": "course", "title": "x"}}, "tracks"),
        (("results", 0, "metrics", "books"), {}, "no HR@10 of 'books'"),
        (("results", 0, "metrics", "books", "NDCG@10"), 1e300, "beyond 1e\\+15"),
        (("results", 0, "metrics"), {}, "no mean over its domains"),
    ],
)
def test_what_boards_and_figures_read_is_there(
    place: tuple[str | int, ...], value: Any, words: str, registry: Registry, tmp_path: Path
) -> None:
    path = sent.write_suite(tmp_path, registry, {"average": 0.1})
    raw: Any = json.loads(path.read_text())
    inner = raw
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text(json.dumps(raw))
    with pytest.raises(DataError, match=words):
        load_records(path)


@pytest.mark.parametrize("value", [-1.0, 1e200])
def test_costs_are_what_machines_spend(value: float, registry: Registry, tmp_path: Path) -> None:
    path = cost_path(sent.write_suite(tmp_path, registry, {"average": 0.1}))
    raw = json.loads(path.read_text())
    raw["results"][0]["seconds"] = {"merging": value}
    path.write_text(json.dumps(raw))
    with pytest.raises(DataError, match="no amount of seconds"):
        load_costs(path)
