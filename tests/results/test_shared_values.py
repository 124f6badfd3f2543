"""Records on disk have each configuration once; read again they are what they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boards_builders as made
import pytest
from conftest import ROOT

from recmerge_bench.errors import DataError
from recmerge_bench.planning.configuration import hash_of
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.finish import build
from recmerge_bench.results import shared_values
from recmerge_bench.results.files import load_records, save_records

QUICK = ROOT / "leaderboards" / "records" / "quick.json"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Committed records, written as files are now."""
    path = tmp_path / "quick.json"
    save_records(path, load_records(QUICK))
    return path


def test_what_is_written_once_is_read_by_every_result(file: Path) -> None:
    before, again = load_records(QUICK), load_records(file)
    assert again.to_json() == before.to_json()
    raw = json.loads(file.read_text())
    assert not any("configuration" in result for result in raw["results"])
    shas = {r.configuration_sha256 for r in before.results}
    assert set(raw["configurations"]) == shas and len(shas) < len(before.results)
    last = again.results[-1]  # of a row with several seeds
    row = [r for r in again.results if r.configuration_sha256 == last.configuration_sha256]
    assert len(row) > 1 and all(r.configuration is last.configuration for r in row)
    save_records(file.with_name("twice.json"), again)
    assert file.with_name("twice.json").read_bytes() == file.read_bytes()


def test_a_reader_finds_a_configuration_by_names_alone(file: Path) -> None:
    raw = json.loads(file.read_text())
    result = next(r for r in raw["results"] if r["identity"]["method"] == "ties")
    one = raw["configurations"][result["configuration_sha256"]]
    assert raw["parts"]["method"][one["method"]]["name"] == "ties"
    assert raw["parts"]["protocol"][one["protocol"]]["name"] == result["identity"]["protocol"]
    assert one["recipe"] == result["identity"]["recipe"]  # text stays text
    whole = {k: raw["parts"][k][v] if k in raw["parts"] and v else v for k, v in one.items()}
    assert hash_of(whole) == result["configuration_sha256"]


def test_results_of_runs_are_written_so(tmp_path: Path, registry: Registry) -> None:
    build(made.run_folder(tmp_path / "out"), tmp_path / "b", tmp_path / "r", registry)
    raw = json.loads((tmp_path / "r" / "fake.json").read_text())
    done = [r for r in raw["results"] if r["status"] == "done"]
    assert done and all(isinstance(r["plugins"], str) for r in done)
    records = load_records(tmp_path / "r" / "fake.json")
    assert records.results[0].plugins == raw["parts"]["plugins"][done[0]["plugins"]]


def _first(some: dict[str, Any]) -> str:
    return next(iter(some))


def _other_part(raw: dict[str, Any]) -> None:
    some = raw["parts"]["training"]
    some[_first(some)]["own"] = {"lr": 7.0}


def _unknown_part(raw: dict[str, Any]) -> None:
    raw["configurations"][_first(raw["configurations"])]["method"] = "0" * 16


def _lost_configuration(raw: dict[str, Any]) -> None:
    del raw["configurations"][raw["results"][0]["configuration_sha256"]]


def _strange_configuration(raw: dict[str, Any]) -> None:
    raw["configurations"]["f" * 64] = raw["configurations"][_first(raw["configurations"])]


def _unused_part(raw: dict[str, Any]) -> None:
    value = {"name": "nobody", "options": {}}
    raw["parts"]["dataset"][hash_of(value)[:16]] = value


def _changed_text(raw: dict[str, Any]) -> None:
    raw["configurations"][raw["results"][0]["configuration_sha256"]]["threads"] = 99


def _no_object(raw: dict[str, Any]) -> None:
    raw["configurations"][_first(raw["configurations"])] = ["no"]


def _parts_of_texts(raw: dict[str, Any]) -> None:
    raw["parts"]["method"] = "no"


DAMAGE: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (_other_part, r"parts\.training\.\w{16} is not what its name says"),
    (_unknown_part, "no part of method is called that"),
    (_lost_configuration, r"results\.0: there is no such configuration"),
    (_strange_configuration, f"configurations.{'f' * 64} is no result's"),
    (_unused_part, r"parts\.dataset\.\w{16} is nobody's"),
    (_changed_text, "configuration_sha256 is not that of the configuration"),
    (_no_object, r"configurations\.\w{64} is no JSON object"),
    (_parts_of_texts, r"parts\.method is no JSON object"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage_is_found(
    damage: Callable[[dict[str, Any]], None], message: str, file: Path
) -> None:
    raw = json.loads(file.read_text())
    damage(raw)
    file.write_text(json.dumps(raw))
    with pytest.raises(DataError, match=message):
        load_records(file)


def test_a_small_file_does_not_become_a_large_one(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = load_records(file).to_json()["results"]
    whole = len(json.dumps([r["configuration"] for r in results]))
    monkeypatch.setattr(shared_values, "LARGEST", whole // 4)
    with pytest.raises(DataError, match="its parts are named too often"):
        load_records(file)


def test_a_configuration_that_is_not_what_its_hash_says_stays_in_its_result() -> None:
    records = load_records(QUICK).to_json()
    sha = records["results"][0]["configuration_sha256"]
    other = next(r for r in records["results"][1:] if r["configuration_sha256"] != sha)
    records["results"][0]["configuration_sha256"] = other["configuration_sha256"]
    short = shared_values.shared(records)["results"]
    assert "configuration" in short[0] and "configuration" not in short[-1]
