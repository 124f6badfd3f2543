"""``suites``: what there is, what one holds, and the schema that editors complete by."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import ROOT, SAMPLES

from recmerge_bench.cli import cli
from recmerge_bench.cli.tables import fitted
from recmerge_bench.planning.schema import suite_schema
from recmerge_bench.planning.suite import BackboneUse, Row, Suite, Track
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.yaml_text import read_yaml

FILES = [*sorted((ROOT / "benchmarks").glob("*.yaml")), *sorted(SAMPLES.glob("*.yaml"))]


def output(*words: str) -> str:
    result = CliRunner().invoke(cli, ["suites", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_every_suite_is_listed_in_eighty_columns() -> None:
    text, entries = output("list"), json.loads(output("list", "--json"))
    assert max(map(len, text.splitlines())) <= 80
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.yaml"))
    assert [e["name"] for e in entries] == names
    assert all(f"\n{name} " in text for name in names)
    assert [e["error"] for e in entries] == [""] * len(names)
    quick = next(e for e in entries if e["name"] == "quick")
    suite = load_suite("quick", _registry())
    assert quick["tracks"] == list(suite.tracks) and quick["seeds"] == len(suite.seeds)
    assert quick["rows"] == sum(len(t.rows) for t in suite.tracks.values())


def _registry() -> Registry:
    from recmerge_bench.registry import discover

    return discover(environ={})


def test_a_suite_that_cannot_be_read_is_listed_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: bad\ntrack: {}\n")
    (tmp_path / "own.py").write_text(
        "from pathlib import Path\nfrom recmerge_bench.api import hookimpl\n\n"
        "@hookimpl\ndef recmerge_bench_suites():\n    return [Path(__file__).parent]\n"
    )
    words = ["-p", str(tmp_path / "own.py"), "suites", "list"]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert "\nquick " in result.output and "unknown key (did you mean 'tracks'" in result.output


@pytest.mark.parametrize("name", ["quick", "merging", "paper-mergerec", "tuned"])
def test_what_is_shown_fits_and_is_all(name: str, registry: Registry) -> None:
    text = output("show", name)
    assert max(map(len, text.splitlines())) <= 80
    suite = load_suite(name, registry)
    for track_name, track in suite.tracks.items():
        assert f"track:     {track_name}" in text
        assert all(f"\n{row.method}" in text for row in track.rows)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_suite_shown_as_json_is_the_suite(path: Path, registry: Registry, tmp_path: Path) -> None:
    shown = json.loads(output("show", str(path), "--json"))
    assert shown["file"] == str(path)
    file = tmp_path / "again.yaml"
    file.write_text(json.dumps(shown["suite"]))
    again = load_suite(str(file), registry)
    assert again == load_suite(str(path), registry).model_copy(update={"extends": None})


def test_what_is_searched_is_shown() -> None:
    text = " ".join(output("show", "tuned").split())
    assert "searches: 4 trials each (tpe, seed 0)" in text
    assert "sasrec (searched: dropout 0.0 or 0.2 or 0.5; training.lr 0.0005 to 0.02 (log))" in text
    assert "searched: scale 0.1 to 1 (step 0.05)" in text


def test_a_change_is_shown_and_an_unknown_name_has_near_ones() -> None:
    assert "seeds:     7" in output("show", "quick", "--set", "seeds=[7]")
    result = CliRunner().invoke(cli, ["suites", "show", "quik"])
    assert "did you mean 'quick'" in str(result.exception)


# -- the schema --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(output("schema"))
    return made


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_suite_fits_the_schema(path: Path, validator: Any) -> None:
    document = json.loads(json.dumps(read_yaml(path).value))
    assert [(list(e.absolute_path), e.message) for e in validator.iter_errors(document)] == []


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"track": {}}, []),
        ({"label": "final"}, ["label"]),
        ({"seeds": [-1]}, ["seeds"]),
        ({"tracks": {"t": {"domain": ["a"]}}}, ["tracks"]),
        ({"tracks": {"t": {"rows": [{"options": {}}]}}}, ["tracks"]),
        ({"tracks": {"t": {"more_rows": "ties"}}}, ["tracks"]),
        ({"tracks": {"t": {"training": {"step": 3}}}}, ["tracks"]),
        ({"tracks": {"t": {"backbones": {"x": {"training": {"lr": "high"}}}}}}, ["tracks"]),
    ],
)
def test_what_a_suite_refuses_the_schema_refuses(
    changed: dict[str, Any], place: list[str], validator: Any
) -> None:
    errors = list(validator.iter_errors({"name": "s", **changed}))
    assert [list(e.absolute_path)[:1] for e in errors] == [place]


def test_shorthands_and_removals_fit(validator: Any) -> None:
    track = {
        "paper": "table", "baseline": "ties", "source": "d", "rows": ["ties"], "tuning": "none",
        "more_rows": [{"method": "dare"}], "gate": {"models": "m", "rows": ["popularity"]},
        "isolated": None,
    }  # fmt: skip
    suite = {
        "extends": "quick", "executor": "local", "tracks": {"t": track, "u": None},
        "metrics": ["MRR", {"metric": "NDCG@10", "options": {"base": 2}}],
    }  # fmt: skip
    assert list(validator.iter_errors(suite)) == []


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    parts = {"Suite": schema, **schema["$defs"]}
    for name, part in parts.items():
        fields = next((c for c in part.get("anyOf", ()) if "properties" in c), part)["properties"]
        assert part["description"], name
        assert [k for k, field in fields.items() if not field.get("description")] == [], name
    models = {"Suite": Suite, "Track": Track, "Row": Row, "BackboneUse": BackboneUse}
    for name, model in models.items():
        assert set(parts[name]["properties"]) == set(model.model_fields)
    names = {field.name for field in dataclasses.fields(TrainOptions)}
    assert set(parts["TrainOptions"]["properties"]) == names
    assert "replace those" in parts["Track"]["properties"]["rows"]["description"]


def test_installed_plugins_are_examples_and_no_limit(
    schema: dict[str, Any], registry: Registry, validator: Any
) -> None:
    method = schema["$defs"]["Row"]["properties"]["method"]
    assert {"ties", "sasrec-dt", "popularity"} <= set(method["examples"]) and "enum" not in method
    assert "examples" not in suite_schema()["$defs"]["Row"]["properties"]["method"]
    own = {"tracks": {"t": {"backbones": {"sasrec": {}, "mine": {}}, "rows": ["mine-too"]}}}
    assert list(validator.iter_errors(own)) == []
    choices = schema["$defs"]["Track"]["properties"]["backbones"]["anyOf"]
    assert set(choices[0]["properties"]) == set(registry.names("backbone"))


# -- tables ------------------------------------------------------------------------------------


def test_a_table_fits_whatever_stands_in_it() -> None:
    table = fitted(["a", "nothing", "text"], [["x" * 50, "", "y" * 50], ["z", None, "w w " * 40]])
    lines = table.splitlines()
    assert max(map(len, lines)) <= 80 and "nothing" not in table
    assert "".join(lines[2:4]).count("x") == 50 and table.count("y") == 50
    assert fitted(["a", "b"], [[1, 2]]) == "a  b\n-  -\n1  2"
