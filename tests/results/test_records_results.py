"""From ranks to rows and records, and from committed records to the same rows."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import boards_builders as made
import pytest
from json_boards import derive

from recmerge_bench.errors import HandledError
from recmerge_bench.registry import Registry
from recmerge_bench.report.publishing.finish import build, render_suite
from recmerge_bench.results import reader
from recmerge_bench.results.all_ranks import read_all_ranks
from recmerge_bench.results.files import load_records
from recmerge_bench.results.run_rows import rows as run_rows
from recmerge_bench.running.cell_record import seal_of

# Ranks 1, 2.5 and 11 in books, 3 in films: by hand.
BOOKS = {
    "NDCG@10": (1 + 1 / math.log2(3.5) + 0) / 3,
    "HR@10": 2 / 3,
    "MRR": (1 + 1 / 2.5 + 1 / 11) / 3,
}
FILMS = {"NDCG@10": 0.5, "HR@10": 1.0, "MRR": 1 / 3}
KEYS = {
    "suite", "dataset", "domain", "backbone", "method", "recipe", "profile", "variant", "track",
    "protocol", "seed", "metrics", "status", "key", "configuration", "configuration_sha256",
    "seconds", "peak_memory", "provenance",
    "reason",
}  # fmt: skip


def rows(out: Path, registry: Registry, suite: str | None = None) -> list[dict[str, Any]]:
    found, _ = run_rows(out, registry, suite)
    return [row.to_json() for row in found]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return made.run_folder(tmp_path / "out")


def test_metrics_are_those_computed_by_hand(out: Path, registry: Registry) -> None:
    rows_ = {r["domain"]: r["metrics"] for r in rows(out, registry) if r["status"] == "done"}
    assert list(rows_) == ["books", "films", "mean"]
    assert rows_["books"] == pytest.approx(BOOKS, abs=1e-15)
    assert rows_["films"] == pytest.approx(FILMS, abs=1e-15)
    halves = {name: (BOOKS[name] + FILMS[name]) / 2 for name in BOOKS}
    assert rows_["mean"] == pytest.approx(halves, abs=1e-15)


def test_rows_have_exactly_these_keys_and_gaps_keep_their_reason(
    out: Path, registry: Registry
) -> None:
    rows_ = rows(out, registry)
    assert len(rows_) == 6
    assert all(set(row) == KEYS for row in rows_)
    broken = [row for row in rows_ if row["method"] == "broken"]
    assert [(r["status"], r["reason"], r["metrics"]) for r in broken] == [
        ("failed", "it broke", {})
    ] * 3


def test_costs_are_of_all_cells_behind_a_row(out: Path, registry: Registry) -> None:
    first = rows(out, registry)[0]
    assert (first["seconds"], first["peak_memory"]) == (2.5, 300)
    assert first["provenance"]["plugins"] == {
        "module_of_ranking": "r 1", "module_of_training": "t 1",
    }  # fmt: skip


def test_two_versions_of_a_library_are_both_told(tmp_path: Path, registry: Registry) -> None:
    first = rows(made.run_folder(tmp_path, loaded="2"), registry)[0]
    assert first["provenance"]["libraries"] == {"numpy": "1, 2"}


def test_metrics_can_be_derived_from_committed_ranks(
    out: Path, tmp_path: Path, registry: Registry
) -> None:
    build(out, tmp_path / "b", tmp_path / "r", registry)
    records = load_records(tmp_path / "r" / "fake.json").to_json()
    ranks = read_all_ranks(tmp_path / "r" / "fake.ranks.parquet")
    assert derive(records, ranks, registry) == records
    unmeasured = [
        {**r, "metrics": {domain: {"HR@1": 0.0} for domain in r.get("metrics", {})}}
        for r in records["results"]
    ]
    header = {**records["header"], "metrics": ["HR@1"]}
    other = {**records, "header": header, "results": unmeasured}
    again = derive(other, ranks, registry)["results"][0]["metrics"]
    assert again["books"]["HR@1"] == pytest.approx(1 / 3)
    with pytest.raises(HandledError, match="ranks of own"):
        derive(records, {}, registry)
    (tmp_path / "r" / "fake.ranks.parquet").write_bytes(b"PAR1")
    with pytest.raises(HandledError, match=r"fake\.ranks\.parquet"):
        read_all_ranks(tmp_path / "r" / "fake.ranks.parquet")
    with pytest.raises(HandledError, match="no such file"):
        read_all_ranks(tmp_path / "none.parquet")


def test_building_twice_and_from_records_gives_the_same_bytes(
    out: Path, tmp_path: Path, registry: Registry
) -> None:
    files = build(out, tmp_path / "b", tmp_path / "r", registry)
    assert [f.name for f in files] == [
        "fake.md", "fake-full.md", "fake-cost.md", "fake-cards.md", "fake.json", "fake.cost.json",
        "fake.ranks.parquet",
    ]  # fmt: skip
    before = [f.read_bytes() for f in files]
    twin = made.run_folder(tmp_path / "twin")
    again = build(twin, tmp_path / "b2", tmp_path / "r2", registry)
    assert [f.read_bytes() for f in again] == before
    boards = render_suite(tmp_path / "r", "fake", tmp_path / "b3")
    assert [f.read_bytes() for f in boards] == before[:4]
    assert not [p for p in tmp_path.rglob("*.tmp")]


def test_what_differs_between_equal_runs_is_in_the_costs_alone(
    out: Path, tmp_path: Path, registry: Registry
) -> None:
    files = build(out, tmp_path / "b", tmp_path / "r", registry)
    for path in out.glob("store/*/*/record.json"):
        record = json.loads(path.read_text())
        record.update(seconds=9.0, peak_memory=1, started=7.0, device="other")
        record["provenance"].update(commit="x", dirty=True, cores=64, processor="y", system="z")
        path.write_text(json.dumps({**record, "seal": seal_of(record)}))
    again = build(out, tmp_path / "b2", tmp_path / "r2", registry)
    changed = {
        f.name for f, g in zip(files, again, strict=True) if f.read_bytes() != g.read_bytes()
    }
    assert changed == {"fake-cost.md", "fake.cost.json"}


def test_a_hundred_results_are_read_once(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = made.run_folder(tmp_path, tuple(f"m{i:03}" for i in range(100)))
    read: list[Any] = []
    real = reader.read_ranks
    monkeypatch.setattr(reader, "read_ranks", lambda p: read.append(p) or real(p))
    rows_ = rows(out, registry)
    assert len(rows_) == 303 and len(read) == 100
    read.clear()
    build(out, tmp_path / "b", tmp_path / "r", registry)
    assert len(read) == 100


@pytest.mark.parametrize("text", ["{", "[]", '{"header": {}, "results": 3, "suite": "fake"}'])
def test_a_damaged_manifest_is_named(out: Path, registry: Registry, text: str) -> None:
    (out / "suites" / "fake.json").write_text(text)
    with pytest.raises(HandledError, match=r"suites/fake\.json.*run the suite again"):
        rows(out, registry)


def test_a_damaged_file_of_ranks_is_named(out: Path, registry: Registry) -> None:
    next(out.glob("store/*/*/ranks.parquet")).write_bytes(b"x")
    with pytest.raises(HandledError, match="does not match its record"):
        rows(out, registry)


def test_suites_that_are_not_there(out: Path, tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(HandledError, match="did you mean 'fake'"):
        rows(out, registry, "fakes")
    with pytest.raises(HandledError, match="no suite was run"):
        rows(tmp_path / "nothing", registry)


def test_the_order_of_cells_in_a_manifest_changes_nothing(
    out: Path, tmp_path: Path, registry: Registry
) -> None:
    before = rows(out, registry)
    path = out / "suites" / "fake.json"
    manifest = json.loads(path.read_text())
    for entry in manifest["results"]:
        random.Random(1).shuffle(entry["cells"])
        entry["cells"].reverse()
    path.write_text(json.dumps(manifest))
    assert rows(out, registry) == before
