"""The schema of records is pinned, what is written is in it, and files of older ones load."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean
from typing import Any, get_args

import boards_builders as made
import pytest
from conftest import SAMPLES
from json_boards import UNRECORDED, derive, render, render_cost, render_full
from pydantic import BaseModel

from recmerge_bench import identity, schema_numbers
from recmerge_bench.planning import configuration
from recmerge_bench.registry import Registry
from recmerge_bench.report.figures.declared import figures
from recmerge_bench.report.publishing.check import _numbers, _walk
from recmerge_bench.report.publishing.finish import build
from recmerge_bench.results import card_values, compared, header, migrations, records
from recmerge_bench.results.all_ranks import read_all_ranks
from recmerge_bench.results.curves import load_curves
from recmerge_bench.results.files import load_costs, load_records
from recmerge_bench.results.groups import load_groups
from recmerge_bench.results.records import Costs, Records

FIELDS = SAMPLES / "records-fields.json"
OLD = SAMPLES / "records-v1"
#: Where the models of records are.
MODULES = (card_values, compared, configuration, header, identity, records)
RAISE = (
    "the schema of records changed: raise RECORDS (schema_numbers.py), add a "
    "migration from the old one, files of the old one below tests/samples, then the fields there "
    "(an optional field that old files lack needs the fields there alone)"
)


def fields() -> dict[str, str]:
    """``Model.field`` -> its type and whether it is required, of all models of records."""
    named = {k: v for module in MODULES for k, v in vars(module).items()}.values()
    models = [m for m in named if isinstance(m, type) and issubclass(m, BaseModel)]
    places = "|".join(re.escape(f"{module.__name__}.") for module in MODULES)
    return {
        f"{m.__name__}.{facts.alias or name}":
        # Where the models are is no part of the schema.
        re.sub(places, "", f"{facts.annotation}{'' if facts.is_required() else ' optional'}")
        for m in models
        for name, facts in m.model_fields.items()
    }  # fmt: skip


def test_the_schema_is_the_pinned_one() -> None:
    pinned = json.loads(FIELDS.read_text())
    assert {"schema": schema_numbers.RECORDS, "fields": fields()} == pinned, RAISE
    assert sorted(migrations.MIGRATIONS) == list(range(1, schema_numbers.RECORDS))
    for number in range(1, schema_numbers.RECORDS):
        assert list((SAMPLES / f"records-v{number}").glob("*.ranks.parquet")), RAISE


def unknown(model: type[BaseModel], value: Any, place: str = "") -> list[str]:
    """Keys of a value that its model does not name, models within it too."""
    actual = [f"{place}{k}" for k in value if k not in model.model_fields and k != "schema"]
    for name, facts in model.model_fields.items():
        inner = value.get(name)
        for part in (facts.annotation, *get_args(facts.annotation)):
            if not (isinstance(part, type) and issubclass(part, BaseModel)):
                continue
            optional = type(None) in get_args(facts.annotation)
            whole = part is facts.annotation or optional or inner is None
            parts = inner.values() if isinstance(inner, dict) and not whole else inner
            for each in [inner] if whole else parts:
                actual += unknown(part, each, f"{place}{name}.") if each else []
    return actual


def test_what_is_written_is_what_the_schema_names(tmp_path: Path, registry: Registry) -> None:
    build(made.run_folder(tmp_path / "out"), tmp_path / "b", tmp_path / "r", registry)
    records, costs = (json.loads((tmp_path / "r" / f"fake.{e}").read_text())
                      for e in ("json", "cost.json"))  # fmt: skip
    assert (records["schema"], costs["schema"]) == (schema_numbers.RECORDS, schema_numbers.COSTS)
    assert records.keys() - Records.model_fields.keys() == {"schema", "configurations", "parts"}
    records = load_records(tmp_path / "r" / "fake.json").to_json()
    assert unknown(Records, records) == [] == unknown(Costs, costs)
    records["results"][0]["extra"] = records["header"]["tracks"]["merging"]["more"] = 1
    assert sorted(unknown(Records, records)) == ["header.tracks.more", "results.extra"]


def _rows(records: Any) -> list[Any]:
    return [row for facts in records.get("comparisons", []) for row in facts["rows"]]


def _without(records: Any, keys: set[str]) -> dict[str, Any]:
    families = [
        {**f, "rows": [{k: v for k, v in row.items() if k not in keys} for row in f["rows"]]}
        for f in records.get("comparisons", [])
    ]
    return {**records, **({"comparisons": families} if families else {})}


@pytest.mark.parametrize("suite", ["regression", "cut"])
def test_records_of_schema_1_give_the_same_numbers(suite: str, registry: Registry) -> None:
    path = OLD / f"{suite}.json"
    raw, loaded = json.loads(path.read_text()), load_records(path).to_json()
    assert raw["schema"] == 1 and loaded["schema"] == schema_numbers.RECORDS
    assert loaded["results"] == [{**r, **UNRECORDED} for r in raw["results"]]
    assert loaded["header"] == {**raw["header"], "audits": {}, "pretraining": {}}
    ranks = read_all_ranks(OLD / f"{suite}.ranks.parquet")
    groups = load_groups(OLD / f"{suite}.groups.json")
    again = derive(loaded, ranks, registry, groups)
    # Schema 1 had no mean ranks and no cards.
    then = {k: v for k, v in again.items() if k not in ("across", "cards")}
    judged = {"verdict", "p_holm", "about_methods", "about_models", "difference"}  # since schema 3
    assert list(_walk(_numbers(_without(raw, judged)), _numbers(_without(then, judged)), ())) == []
    for old, new in zip(_rows(raw), _rows(loaded), strict=True):
        assert old["verdict"] == "undecided" and len(old["seeds"]) < 5
        assert new["about_methods"]["verdict"] == "no verdict"
        assert new["about_methods"]["reason"].startswith(f"{len(old['seeds'])} of 5 seeds")
    text = render(loaded)
    rows: dict[str, list[float]] = {}
    for result in raw["results"]:
        if result["status"] == "done":
            who = {k: v for k, v in result["identity"].items() if k != "seed"}
            value = result["metrics"]["mean"][raw["header"]["metrics"][0]]
            rows.setdefault(str(who), []).append(value)
    assert all(f"{mean(values):.4f}" in text for values in rows.values())
    assert "they were made before audits" in render_full(loaded)


def test_records_of_schema_2_have_no_configuration() -> None:
    path = SAMPLES / "records-v2" / "regression.json"
    raw, loaded = json.loads(path.read_text()), load_records(path).to_json()
    assert raw["schema"] == 2 and loaded["schema"] == schema_numbers.RECORDS
    assert loaded["results"] == [{**r, **UNRECORDED} for r in raw["results"]]
    assert loaded["header"] == raw["header"]
    costs = path.with_name("regression.cost.json")
    assert load_costs(costs).to_json()["results"] == json.loads(costs.read_text())["results"]


def test_records_of_schema_3_have_their_configurations_in_results(registry: Registry) -> None:
    path = SAMPLES / "records-v3" / "regression.json"
    raw, loaded = json.loads(path.read_text()), load_records(path).to_json()
    assert raw["schema"] == 3 and loaded == {**raw, "schema": schema_numbers.RECORDS}
    assert all(r["configuration"] for r in loaded["results"])
    again = derive(loaded, read_all_ranks(path.with_name("regression.ranks.parquet")), registry)
    assert list(_walk(_numbers(raw), _numbers(again), ())) == []


def test_costs_curves_and_groups_of_schema_1_load() -> None:
    costs = load_costs(OLD / "cut.cost.json").to_json()
    raw = json.loads((OLD / "cut.cost.json").read_text())
    unknown_then = {"parameters": None, "joules": None}
    assert costs["results"] == [{**unknown_then, **r} for r in raw["results"]]
    text = render_cost(costs)
    training = [
        sum(s for n, s in r["seconds"].items() if n.startswith("train"))
        for r in raw["results"] if r["identity"]["method"] == "fine-tune"
    ]  # fmt: skip
    row = next(line for line in text.splitlines() if "fine-tune" in line)
    assert f"| {mean(training):.1f} " in row and "| – " in row
    curves = load_curves(OLD / "cut.curves.json")
    drawn = {f.name: f for f in figures(load_records(OLD / "cut.json"), curves)}
    assert sorted(drawn) == ["history", "weights"] and len(drawn["weights"].points) == 9
    assert len(load_groups(OLD / "cut.groups.json")) == 1
