"""Names in suites and records: nothing twice, no name for two things, said with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boards_builders as made
import pytest
from click.testing import CliRunner
from conftest import ROOT
from json_boards import render, tables

from recmerge_bench.cli import cli
from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.files import write_json
from recmerge_bench.names import RESERVED, same_file
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.results.files import load_costs, load_records
from recmerge_bench.results.reader import manifests
from recmerge_bench.results.records import check_costs, check_records

SUITE = """\
name: {name}
seeds: {seeds}
metrics: {metrics}
tracks:
  t:
    dataset: atomic-folder
    dataset_options: {{path: data}}
    domains: {domains}
    experts: {experts}
    source: {source}
    protocols: {protocols}
    backbones: {{sasrec: {{}}}}
    rows:
      - {row}
      - {other}
"""
PLAIN = {
    "name": "case", "seeds": "[0]", "metrics": "[NDCG@10, MRR]", "domains": "[a, b]",
    "experts": "[]", "source": "[]", "protocols": "[loo]", "row": "popularity",
    "other": "{method: ties, options: {density: 0.1}}",
}  # fmt: skip


def loaded(registry: Registry, tmp_path: Path, more: str = "", **changed: str) -> Any:
    path = tmp_path / "case.yaml"
    path.write_text(SUITE.format(**{**PLAIN, **changed}) + more)
    return load_suite(str(path), registry)


def test_a_suite_without_fault_is_loaded(registry: Registry, tmp_path: Path) -> None:
    assert loaded(registry, tmp_path).tracks["t"].domains == ("a", "b")


@pytest.mark.parametrize(
    ("changed", "line", "message"),
    [
        ({"domains": "[a, mean]"}, 8, "'t'.*a domain cannot be called 'mean'"),
        ({"domains": "[a, Mean]"}, 8, "a domain cannot be called 'Mean'"),
        ({"domains": "[a, b, b]"}, 8, "the domain 'b' is listed twice"),
        ({"experts": "[a, a]"}, 9, "experts: the domain 'a' is listed twice"),
        ({"source": "[c, c]"}, 10, "source: the domain 'c' is listed twice"),
        ({"source": "mean"}, 10, "a domain cannot be called 'mean'"),
        ({"seeds": "[0, 1, 0]"}, 2, "seeds has 0 twice"),
        ({"metrics": "[MRR, MRR]"}, 3, "metrics has 'MRR' twice"),
        ({"protocols": "[loo, loo]"}, 11, "protocols has 'loo' twice"),
        ({"row": "{method: ties, backbones: [sasrec, sasrec]}"}, 14, "has 'sasrec' twice"),
        ({"other": "popularity"}, 15, "rows 1 and 2 are one row, 'popularity', listed twice"),
        (
            {"row": "{method: ties, options: {density: 1.0}, variant: x}",
             "other": "{method: ties, options: {density: 0.1}, variant: x}"},
            15, "rows 1 and 2 would have one name, 'ties'",
        ),
        (
            {"row": "{method: ties, variant: density=0.1}"},
            15, "rows 1 and 2 would have one name, 'ties'",
        ),
        (
            {"row": "{method: ties, backbones: [sasrec], options: {density: 0.1}}"},
            15, "rows 1 and 2 are one row, 'ties', listed twice",
        ),
        ({"row": "{method: ties, variant: paper recipe}"}, 14, "reads like a recipe"),
        ({"name": "quick-full"}, 1, "its files would be those of 'quick'"),
        ({"name": "quick-cost"}, 1, "its files would be those of 'quick'"),
        ({"domains": "[a b, a-b]"}, 5, "the files of 'a-b' of track 't'.*those of 'a b'"),
        ({"domains": "[A, a]"}, 5, "the files of 'a' of track 't'.*those of 'A'"),
    ],
)  # fmt: skip
def test_what_is_named_twice_is_refused_with_its_line(
    registry: Registry, tmp_path: Path, changed: dict[str, str], line: int, message: str
) -> None:
    with pytest.raises(HandledError, match=rf"case\.yaml:{line}: .*{message}") as caught:
        loaded(registry, tmp_path, **changed)
    assert "\n" not in str(caught.value)


TRACK = (
    "  {}:\n    dataset: ml-100k\n    domains: [a]\n    protocols: [{}]\n    rows: [popularity]\n"
)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (TRACK.format("T", "loo"), "track 'T' under 'loo' would be those of track 't' under 'loo'"),
        (TRACK.format("'t.'", "loo"), "would be those of track 't'"),
        (
            TRACK.format("x", "y-loo") + TRACK.format("x-y", "loo"),
            "track 'x-y' under 'loo' would be those of track 'x' under 'y-loo'",
        ),
        ("figures:\n  F: {kind: course, title: x}\n", "'F' is no name of a figure"),
        ("figures:\n  cost-pareto-t-loo: {kind: course, title: x}\n", "made by themselves"),
        ("figures:\n  f: {kind: course, title: x, tracks: [t, t]}\n", "tracks has 't' twice"),
        ("groups: [history, history]\n", "groups has 'history' twice"),
        ("extends: [quick, quick]\n", "extends names a suite twice"),
        ("seeds: [1]\n", "the key 'seeds' stands twice"),
    ],
)
def test_files_that_would_be_one_are_refused(
    registry: Registry, tmp_path: Path, more: str, message: str
) -> None:
    with pytest.raises(HandledError, match=rf"case\.yaml.*{message}"):
        loaded(registry, tmp_path, more)


def test_the_place_is_that_of_the_file_that_said_it(registry: Registry, tmp_path: Path) -> None:
    loaded(registry, tmp_path)
    above = tmp_path / "above.yaml"
    above.write_text("extends: case.yaml\n\ntracks:\n  t:\n    domains: [x, x]\n")
    with pytest.raises(HandledError, match=r"above\.yaml:5: .*'x' is listed twice"):
        load_suite(str(above), registry)
    with pytest.raises(HandledError, match=r"--set tracks\.t\.domains: .*'y' is listed twice"):
        load_suite(str(tmp_path / "case.yaml"), registry, ["tracks.t.domains=[y, y]"])
    with pytest.raises(HandledError, match=r"--seeds: .*seeds has 3 twice"):
        load_suite(str(tmp_path / "case.yaml"), registry, seeds=[3, 3])
    above.write_text("extends: case.yaml\ntracks:\n  t:\n    seedz: [1]\n")
    with pytest.raises(HandledError, match=r"above\.yaml:4: .*unknown key.*'seeds'"):
        load_suite(str(above), registry)


def test_the_command_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(SUITE.format(**{**PLAIN, "domains": "[a, mean]"}))
    for command in ("plan", "run"):
        out = ["--suite", str(path), "--out", str(tmp_path / "out")]
        ended = CliRunner().invoke(cli, [command, *out])
        assert ended.exit_code == 2 or isinstance(ended.exception, HandledError)
    assert not (tmp_path / "out").exists()


CASES = ROOT.parent / "shared" / "cases" / "input"


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("11-domain-named-mean/s", "called 'mean'"), ("22-same-variant-label/doms", "'b' is"),
        ("22-same-variant-label/dup", "listed twice"), ("22-same-variant-label/s", "one name"),
        ("22-same-variant-label/prot", "'loo' twice"), ("22-same-variant-label/twice", "'b' is"),
        ("22-same-variant-label/seeds", "0 twice"), ("22-same-variant-label/seeds00", "0 twice"),
    ],
)  # fmt: skip
def test_the_shared_cases(registry: Registry, case: str, message: str) -> None:
    with pytest.raises(HandledError, match=rf"\.yaml:\d+: .*{message}"):
        load_suite(str(CASES / f"{case}.yaml"), registry)


def test_what_file_systems_may_not_tell_apart() -> None:
    assert same_file("A b", "c") == same_file("a", "b_C") == "a-b-c"
    assert same_file("a.b") != same_file("a-b") and same_file("..") == "none"


# -- records ---------------------------------------------------------------------------------------


def changed(**parts: Any) -> dict[str, Any]:
    records = json.loads(json.dumps(made.records()))
    records["header"].update(parts)
    return records  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_records_have_no_domain_of_a_reserved_name(name: str) -> None:
    records = changed()
    records["results"][0]["domains"] = ["books", name]
    with pytest.raises(DataError, match=rf"results\.0: .*called '{name}'"):
        check_records(records, Path("r.json"))
    records = changed()
    records["header"]["tracks"]["merging"]["domains"] = ["books", name]
    with pytest.raises(DataError, match=rf"header\.tracks\.merging: .*called '{name}'"):
        check_records(records, Path("r.json"))


def test_records_list_nothing_twice() -> None:
    for key, value, message in (
        ("metrics", ["MRR", "MRR"], "metrics have 'MRR' twice"),
        ("seeds", [0, 0], "seeds have 0 twice"),
    ):
        with pytest.raises(DataError, match=message):
            check_records(changed(**{key: value}), Path("r.json"))
    records = changed()
    records["header"]["tracks"]["merging"]["protocols"] = ["cut", "cut"]
    with pytest.raises(DataError, match="protocols have 'cut' twice"):
        check_records(records, Path("r.json"))
    records = changed()
    records["results"][1]["domains"] = ["books", "books"]
    with pytest.raises(DataError, match="'books' is listed twice"):
        check_records(records, Path("r.json"))
    records = changed()
    records["results"][1]["domains"] = ["books"]
    with pytest.raises(DataError, match="metrics of films, which is none of its domains"):
        check_records(records, Path("r.json"))
    records = changed()
    records["results"][-1]["domains"] = ["books"]
    with pytest.raises(DataError, match="other domains"):
        check_records(records, Path("r.json"))
    records = changed()
    records["results"].append(records["results"][0])
    with pytest.raises(DataError, match=r"results\.0 and results\.10 are one result"):
        check_records(records, Path("r.json"))
    costs = made.costs()
    costs["results"] *= 2
    with pytest.raises(DataError, match=r"results\.0 and results\.1 are one result"):
        check_costs(costs, Path("r.cost.json"))


def test_a_run_with_a_domain_called_mean_is_run_again(tmp_path: Path) -> None:
    out = made.run_folder(tmp_path)
    path = out / "suites" / "fake.json"
    manifest = json.loads(path.read_text())
    manifest["results"][0]["domains"] = ["books", "mean"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="called 'mean'"):
        manifests(out)


def test_rows_that_differ_by_profile_alone_are_told_apart() -> None:
    records = made.records()
    records["results"].append(made.result(made.identity("own", 0, profile="paper"), 0.5, 0.5))
    [lines] = tables(records).values()
    names = [line.name for line in lines]
    assert len(set(names)) == len(names)
    assert ("net", "own (profile cpu)") in names and ("net", "own (profile paper)") in names
    assert "own (profile paper)" in render(records)


def test_a_key_that_stands_twice_in_records_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    write_json(folder / "fake.json", made.records())
    write_json(folder / "fake.cost.json", made.costs())
    for name, load in (("fake.json", load_records), ("fake.cost.json", load_costs)):
        text = (folder / name).read_text()
        load(folder / name)
        (folder / name).write_text(text.replace('"suite":', '"suite": "other", "suite":', 1))
        with pytest.raises(DataError, match="a key twice: 'suite'"):
            load(folder / name)


def test_a_suite_whose_files_would_be_anothers_is_refused(tmp_path: Path) -> None:
    gaps = [r for r in made.records()["results"] if r["status"] != "done"]
    records = {**made.records(), "suite": "fake-full", "results": gaps}
    write_json(tmp_path / "records" / "fake-full.json", records)
    # the second's board would be the first's full one
    with pytest.raises(DataError, match="its files would be those of 'fake'"):
        load_records(tmp_path / "records" / "fake-full.json")
