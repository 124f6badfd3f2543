"""The papers' numbers: as printed, mapped to our rows, read strictly."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.planning.header import header
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.references import (
    COLUMNS,
    load_reference,
    numbers,
)
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.specs import METHOD_KINDS

PAPER = ROOT / "benchmarks" / "paper"
NAMES = (
    "mergerec", "mergerec-scarce", "mergerec-unseen", "merit", "merit-ablation",
    "public-sequential",
)  # fmt: skip
SUITES = ("paper-mergerec", "paper-scarce", "paper-unseen", "paper-merit", "merit-ablation")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def printed(rows: list[dict[str, str]], *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[c] for c in columns) for row in rows]


def test_all_tables_are_read_and_name_methods_that_exist(registry: Registry) -> None:
    assert sorted(p.stem for p in PAPER.glob("*.yaml")) == sorted(NAMES)
    for name in NAMES:
        facts, rows = load_reference(name, registry, "here")
        assert rows and tuple(rows[0]) == COLUMNS
        assert {r["method"] for r in rows} == set(facts.methods)
        known = {n for kind, n in registry.specs if kind in METHOD_KINDS}
        assert {m.method for m in facts.methods.values() if m.method} <= known
        assert {m.backbone for m in facts.methods.values() if m.backbone} <= known
        assert set(facts.backbones.values()) <= known
        assert ("protocol", facts.protocol) in registry.specs


def test_numbers_are_those_of_the_papers_files(shared: Path) -> None:
    folder = shared / "papers"
    ours, theirs = read(PAPER / "mergerec.csv"), read(folder / "mergerec_main.csv")
    units = [{"share": " normalized %", "value": ""}[r["unit"]] for r in ours]
    assert [
        (r["table"], r["backbone"], r["method"], r["metric"] + u, r["domain"], r["value"],
         r["stars"])
        for r, u in zip(ours, units, strict=True)
    ] == [
        (r["table"], r["backbone"], r["method"], r["metric"], r["domain"].lower(), r["value"],
         r["significant"])
        for r in theirs
    ]  # fmt: skip
    both = [*read(PAPER / "mergerec-scarce.csv"), *read(PAPER / "mergerec-unseen.csv")]
    theirs = read(folder / "mergerec_scarce_unseen.csv")
    assert printed(both, "table", "method", "value") == printed(theirs, "table", "method", "value")
    assert [r["setting"] or "unseen" for r in both] == [r["target_train_ratio"] for r in theirs]
    assert [r["domain"] for r in both] == [r["domain"].lower() for r in theirs]
    ours, theirs = read(PAPER / "merit.csv"), read(folder / "merit_main.csv")
    columns = ("method", "metric", "value", "std", "stars")
    wanted = ("method", "metric", "mean", "std", "significance_stars")
    assert printed(ours, *columns) == printed(theirs, *wanted)
    assert [r["domain"] for r in ours] == [r["domain"].lower() for r in theirs]
    assert all(r["domain"] in r["setting"].split("-") for r in ours)
    ours, theirs = read(PAPER / "merit-ablation.csv"), read(folder / "merit_ablation.csv")
    columns = ("method", "metric", "value", "std")
    assert printed(ours, *columns) == printed(theirs, "variant", "metric", "mean", "std")
    assert [r["domain"] == "sum" for r in ours] == ["+" in r["domain"] for r in theirs]


def test_mergerecs_average_of_shares_is_the_ratio_of_means() -> None:
    rows = read(PAPER / "mergerec.csv")
    value = {
        (r["unit"], r["metric"], r["backbone"], r["method"], r["domain"]): float(r["value"])
        for r in rows
    }
    domains = {r["domain"] for r in rows} - {"average"}
    checked = 0
    for (unit, metric, backbone, method, domain), share in value.items():
        if unit == "share" and domain == "average":
            ours, own = (
                sum(value["value", metric, backbone, m, d] for d in domains)
                for m in (method, "Fine-tune")
            )
            assert 100 * ours / own == pytest.approx(share, abs=0.09)
            checked += 1
    assert checked == 72


def test_sums_of_the_ablation_are_the_pairs_but_for_one() -> None:
    rows, off = read(PAPER / "merit-ablation.csv"), []
    for one in [r for r in rows if r["domain"] == "sum"]:
        parts = [
            float(r["value"])
            for r in rows
            if (r["method"], r["setting"]) == (one["method"], one["setting"]) and r is not one
        ]
        if sum(parts) != pytest.approx(float(one["value"]), abs=1.1e-4):
            off.append((one["method"], one["setting"]))
    assert off == [("MF1", "beauty-electronics")]  # .1878 + .1183, printed as .3097


@pytest.mark.parametrize("name", [*SUITES, "mergerec-cpu"])
def test_every_method_of_a_paper_is_a_row_of_its_suite(name: str, registry: Registry) -> None:
    suite = load_suite(name, registry)
    for track, facts in header(suite, registry)["tracks"].items():
        paper = facts.get("paper")
        if not paper:
            continue
        assert paper["protocol"] in suite.tracks[track].protocols
        rows = suite.tracks[track].rows
        for method in {n.method for n in numbers(paper["numbers"])}:
            ours = paper["methods"][method]
            assert any(r.method == ours["method"] for r in rows), (track, method)


def test_what_a_track_lacks_is_not_carried(registry: Registry) -> None:
    paper = header(load_suite("mergerec-cpu", registry), registry)["tracks"]["shared-base"]["paper"]
    carried = numbers(paper["numbers"])
    assert {n.domain for n in carried} == {"beauty", "pantry", "toys"}
    assert {n.unit for n in carried} == {"share"} and len(carried) == 3 * 9 * 4 * 2
    tracks = header(load_suite("paper-scarce", registry), registry)["tracks"]
    assert {n.value for n in numbers(tracks["office-5"]["paper"]["numbers"])} == {
        r["value"]
        for r in read(PAPER / "mergerec-scarce.csv")
        if (r["setting"], r["domain"]) == ("5%", "office")
    }


def test_another_profile_or_protocol_is_said_by_itself(registry: Registry) -> None:
    changes = [
        "tracks.food-kitchen.profile=cpu",
        "tracks.beauty-electronics.paper.protocol=mixed-merit",
    ]
    tracks = header(load_suite("paper-merit", registry, changes), registry)["tracks"]
    assert tracks["food-kitchen"]["paper"]["differs"] == ["profile cpu; the paper's is family"]
    assert tracks["beauty-electronics"]["paper"]["differs"] == [
        "protocol mixed-merit; the paper's is mixed-merit-sampled-999"
    ]
    assert tracks["movie-book"]["paper"]["differs"] == []
    assert "paper" not in tracks["food-kitchen-temporal"]


def test_no_cell_knows_of_papers(registry: Registry) -> None:
    plans = [
        build(load_suite("paper-unseen", registry, changes), registry)
        for changes in ((), ("tracks.unseen.paper=null",))
    ]
    assert list(plans[0].cells) == list(plans[1].cells)
    assert plans[0].header != plans[1].header


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("paper=mergerec-unsen", "no paper's table is named 'mergerec-unsen' (did you mean"),
        ("paper={table: mergerec-unseen, setting: 1%}", "has no setting '1%'"),
        ("paper={table: mergerec-unseen, seting: x}", "unknown key (did you mean 'setting'"),
        ("paper={table: mergerec-unseen, protocol: loo}", "of protocol 'loo', which the track"),
        ("paper={table: mergerec-unseen, backbones: {recformer: [x]}}", "no backbone 'recformer'"),
        (
            "paper={table: mergerec-unseen, backbones: {recformer-base: [RecFormer-bas]}}",
            "no backbone 'RecFormer-bas' (did you mean 'RecFormer-base'?)",
        ),
        ("paper={table: mergerec-unseen, units: [share]}", "no number of its domains and metrics"),
    ],
)
def test_wrong_names_are_told(change: str, message: str, registry: Registry) -> None:
    with pytest.raises(HandledError, match="track") as caught:
        header(load_suite("paper-unseen", registry, [f"tracks.unseen.{change}"]), registry)
    assert message in str(caught.value)


@pytest.fixture
def damaged(tmp_path: Path) -> tuple[Registry, Path]:
    """A registry that knows one folder of suites with a copy of a paper's table."""
    (tmp_path / "paper").mkdir()
    for end in ("yaml", "csv"):
        shutil.copy(PAPER / f"merit.{end}", tmp_path / "paper")
    registry = Registry()
    registry.suite_paths.append(tmp_path)
    return registry, tmp_path / "paper"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.1930,0.0028", "0.193o,0.0028", "merit.csv:2 (column value): '0.193o' is no number"),
        ("0.1930,0.0028", "nan,0.0028", "'nan' is no number"),
        ("0.1930,0.0028,0", "0.1930,0.0028,**", "merit.csv:2 (column stars)"),
        ("HR@5,value,0.1930", "HR@5,percent,0.1930", "'percent' is not value or share"),
        ("SASRec-st,food,HR@5", "SASRec-ts,food,HR@5", "(did you mean 'SASRec-st'"),
        ("paper,table", "papers,table", "merit.csv:1: the columns are paper, table"),
        ("0.0028,0,MM 2025", "0.0028,0", "merit.csv:2: a row has 12 fields"),
    ],
)
def test_damaged_numbers_are_named_with_their_line(
    damaged: tuple[Registry, Path], old: str, new: str, message: str
) -> None:
    registry, folder = damaged
    text = (folder / "merit.csv").read_text()
    assert old in text
    (folder / "merit.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(DataError) as caught:
        load_reference("merit", registry, "here")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.replace("profile:", "profil:"), "did you mean 'profile'"),
        (lambda t: t.replace("method: abxi", "metod: abxi"), "did you mean 'method'"),
        (lambda t: t + "\n  - [", "not readable as YAML"),
    ],
)
def test_a_damaged_description_is_told(
    damaged: tuple[Registry, Path], edit: Any, message: str
) -> None:
    registry, folder = damaged
    (folder / "merit.yaml").write_text(edit((folder / "merit.yaml").read_text()))
    with pytest.raises(DataError) as caught:
        load_reference("merit", registry, "here")
    assert message in str(caught.value)


def test_numbers_without_their_file(damaged: tuple[Registry, Path]) -> None:
    registry, folder = damaged
    (folder / "merit.csv").unlink()
    with pytest.raises(HandledError, match="the numbers of 'merit' are missing"):
        load_reference("merit", registry, "here")
