"""`rmb.rerun`: from a record alone, the suite whose plan has the record's rank cells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import recmerge_bench as rmb
from recmerge_bench.cli import main
from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.configuration import configured, hash_of
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.sources import Sources
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.results.files import load_records
from recmerge_bench.results.rerun import matching, suite_of, text_of
from recmerge_bench.yaml_text import parse_yaml

SMALL = {"steps": 7, "epochs": 0}
TUNED = {"tried": "densities: .1 to .5", "data": "validation-labels", "times": 3}
MERGING: dict[str, Any] = {
    "dataset": "ml-100k", "domains": ["action", "comedy"], "experts": ["action", "romance"],
    "source": "drama", "protocols": ["loo", "loo-sampled-99"], "profile": "cpu",
    "training": SMALL, "pretraining": {"steps": 5, "lr": 1e-5}, "joint": {"steps": 11},
    "domain_training": {"romance": {"lr": 0.5, "users": 0.25}},
    "backbones": {
        "sasrec": {"options": {"width": 8}, "training": {"batch_size": 16}, "tuning": TUNED},
        "bert4rec": {"options": {"width": 8}},
    },
    "rows": [
        "popularity", "item-knn", "fine-tune", "zero-shot",
        {"method": "joint", "training": {"mix": "balanced"}},
        {"method": "ties", "options": {"density": 0.3}, "variant": "my best", "tuning": TUNED},
        {"method": "fisher", "options": {"temperature": 0.05}, "variant": "", "tuning": "none"},
        {"method": "mergerec", "recipe": "paper", "variant": "layer-wise,init=ties",
         "options": {"granularity": "layer", "vectors": "ties"}},
    ],
}  # fmt: skip
SUITE: dict[str, Any] = {
    "name": "kinds", "seeds": [3, 0], "threads": 2, "tracks": {
        "merging": MERGING,
        "random-base": {**MERGING, "experts": [], "source": [], "pretraining": {},
                        "domain_training": {}, "rows": ["fine-tune", "weight-averaging"]},
        "other-base": {
            "dataset": "ml-100k", "domains": ["action", "comedy"], "protocols": ["loo"],
            "training": SMALL, "isolated": True, "tuning": "none",
            "base": {"dataset": "ml-100k-whole", "domains": ["movies"], "training": {"steps": 3},
                     "options": {"dropout": 0.5}},
            "backbones": {"sasrec-text": {"options": {"encoder": "minilm", "whiten": True}}},
            "rows": ["zero-shot", "task-arithmetic", "fine-tune"],
        },
        "hybrids": {
            **MERGING, "experts": ["action", "comedy", "romance"], "protocols": ["loo"],
            "domain_training": {"comedy": {"lr": 0.5}},
            "rows": ["weaverec", {"method": "sharprec", "training": {"sharpness": 0.01}}],
        },
        "with-labels": {
            **MERGING, "domain_training": {}, "protocols": ["loo-sampled-99", "loo"],
            "rows": ["task-arithmetic-validated"],
        },
        "cdsr": {
            "dataset": "ml-100k", "domains": ["action", "comedy"], "profile": "cpu",
            "protocols": ["mixed", "mixed-sampled-99"], "training": SMALL,
            "rows": [
                {"method": "merit", "training": {"lr": 0.5}}, "sasrec-st", "popularity",
                {"method": "cd-sasrec", "options": {"heads": 1}}, "cd-asr",
            ],
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def plan(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    file = tmp_path_factory.mktemp("suite") / "kinds.yaml"
    file.write_text(yaml.safe_dump(SUITE))
    return build(load_suite(str(file), registry), registry)


@pytest.fixture(scope="module")
def record(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of the suite, nothing of it run."""
    header = {**plan.header, "command": "x", "audits": {}, "pretraining": {}}
    results = [
        {"key": r.key, "identity": dict(r.identity), "domains": list(r.domains),
         "status": "not run", "reason": "", "mend": "", **configured(r.configuration)}
        for r in plan.results
    ]  # fmt: skip
    records = {"schema": 4, "suite": "kinds", "header": header, "results": results}
    path = tmp_path_factory.mktemp("records") / "kinds.json"
    path.write_text(json.dumps(records))
    return path


def run(*words: Any) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    return int(ended.value.code or 0)


def rows(plan: Plan) -> list[dict[str, Any]]:
    """One of each row, the seed apart; under a second protocol, one of all."""
    collected = {
        json.dumps({k: v for k, v in r.identity.items() if k != "seed"}): dict(r.identity)
        for r in plan.results
        if "sampled" not in r.identity["protocol"] or r.identity["method"] in ("ties", "merit")
    }
    return list(collected.values())


def test_every_row_of_every_kind_is_planned_to_the_same_cell(
    plan: Plan, record: Path, registry: Registry, tmp_path: Path
) -> None:
    wanted, records, sources = rows(plan), load_records(record), Sources()
    kinds = {r.configuration.method.kind for r in plan.results if r.configuration}
    assert kinds == {"strategy", "cdsr", "counting"} and len(wanted) > 25
    for identity in wanted:
        selector = [f"{k}={v}" for k, v in identity.items() if k != "seed"]
        suite = suite_of(records, matching(records.results, selector))
        file = tmp_path / "again.yaml"
        file.write_text(text_of(suite, ["again"]))
        again = build(load_suite(str(file), registry), registry, sources=sources)
        same_row = [r for r in plan.results if {**r.identity, "seed": 0} == {**identity, "seed": 0}]
        assert [(r.key, r.identity, r.configuration) for r in again.results] == [
            (r.key, r.identity, r.configuration) for r in same_row
        ]


def test_one_seed_and_commas_in_values(
    plan: Plan, record: Path, registry: Registry, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    file = tmp_path / "a.yaml"
    row = "variant=layer-wise,init=ties,backbone=sasrec,protocol=loo,seed=3"
    assert run("rerun", record, "--row", row, "-o", file) == 0
    assert "the cells are those of the record" in capsys.readouterr().out
    (only,) = build(load_suite(str(file), registry), registry).results
    assert (only.identity["method"], only.identity["seed"]) == ("mergerec", 3)
    assert only.key in [r.key for r in plan.results]
    assert run("rerun", record, "--row", row, "-o", file) == 2
    assert run("rerun", record, "--row", row, "-o", file, "--force") == 0


def test_in_python_it_is_a_suite_that_runs(
    plan: Plan, record: Path, registry: Registry, tmp_path: Path
) -> None:
    row = "method=ties,backbone=sasrec,protocol=loo"
    again = rmb.rerun(record, row, plugins=registry)
    assert isinstance(again.suite, rmb.Suite) and again.suite.seeds == (3, 0)
    assert again.same_cells and again.missing == ()
    assert str(again.identity) in repr(again) and again.remark in repr(again)
    keys = {r.key for r in plan.results if r.identity["variant"] == "my best"}
    planned = rmb.plan(again.suite, out=tmp_path, plugins=registry)
    assert {c.key for c in planned.cells if c.kind == "rank"} < keys
    one = rmb.rerun(rmb.load_results(record), [row, "seed=0"], plugins=registry)
    assert one.suite.seeds == (0,) and one.configuration_sha256 == again.configuration_sha256


def test_its_file_is_the_suite(record: Path, registry: Registry, tmp_path: Path) -> None:
    again = rmb.rerun(record, "method=ties,backbone=sasrec,protocol=loo", plugins=registry)
    file = again.write(tmp_path / "new" / "again.yaml")
    assert rmb.load_suite(file, plugins=registry) == again.suite
    with pytest.raises(HandledError, match="is there already"):
        again.write(file)
    assert again.write(file, force=True) == file
    with pytest.raises(HandledError, match="files that end in"):
        again.write(tmp_path / "again.txt")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (["method=tiess"], r"--row method=tiess: no row is such \(did you mean 'ties'"),
        (["method=ties", "protocol=lo"], r"no row is such \(did you mean 'loo'.*there: 'loo'"),
        (["methd=ties"], r"did you mean 'method'"),
        (["ties"], "KEY=VALUE"),
        (["method=ties,seed=5"], "no row is such.*there: .3., .0."),
        (["method=ties"], r"4 rows are such.*backbone=sasrec, protocol=loo; "),
        ([], r"rows are such; choose one"),
    ],
)
def test_a_miss_is_one_line(
    record: Path, tmp_path: Path, row: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    assert run("rerun", record, *(w for r in row for w in ("--row", r)), "-o", file) == 2
    output = capsys.readouterr().err
    assert output.count("\n") == 1 and re.search(message, output)
    assert not file.exists()


def edited(record: Path, to: Path, **options: Any) -> Path:
    """The records with other configurations, honestly hashed."""
    records = json.loads(record.read_text())
    for result in records["results"]:
        who = result["identity"]
        if (who["method"], who["protocol"], who["backbone"]) != ("ties", "loo", "sasrec"):
            continue
        result["configuration"].update(options)
        result["configuration_sha256"] = hash_of(result["configuration"])
    to.write_text(json.dumps(records))
    return to


def test_what_is_not_recorded_or_not_to_be_made_here_is_refused(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ("--row", "method=ties,backbone=sasrec,protocol=loo", "-o", tmp_path / "out.yaml")
    old = json.loads(record.read_text())
    old["schema"] = 2
    for result in old["results"]:
        del result["configuration"], result["configuration_sha256"]
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert run("rerun", tmp_path / "old.json", *row) == 2
    assert "'ties' is not recorded" in capsys.readouterr().err
    protocol = {"name": "loo", "options": {"min_length": 99}}
    assert run("rerun", edited(record, tmp_path / "p.json", protocol=protocol), *row) == 2
    assert "protocol.options.candidate_seed: 2026, None" in capsys.readouterr().err
    method = {"name": "ties", "kind": "strategy", "options": {"densty": 0.5}}
    assert run("rerun", edited(record, tmp_path / "m.json", method=method), *row) == 2
    output = capsys.readouterr().err
    assert "did you mean 'density'" in output and str(tmp_path) not in output
    assert not (tmp_path / "out.yaml").exists()
    assert run("rerun", record, *row[:2], "-o", tmp_path / "out.txt") == 2


def test_options_that_came_after_the_record_are_told_and_no_refusal(
    record: Path, registry: Registry, tmp_path: Path
) -> None:
    """As a record of an earlier version is: without what the methods take since."""
    records = json.loads(record.read_text())
    for result in records["results"]:
        made = result["configuration"]
        for options in (made["method"]["options"], made["training"]["base"] or {}):
            options.pop("scope", None)
            options.pop("mix", None)
        result["configuration_sha256"] = hash_of(made)
    earlier = tmp_path / "earlier.json"
    earlier.write_text(json.dumps(records))
    row = "method=ties,backbone=sasrec,protocol=loo"
    again = rmb.rerun(earlier, row, plugins=registry)
    added = {"method.options.scope": "global", "training.base.mix": "proportional"}
    assert again.added == added and again.same_cells  # the keys are: nothing changed in between
    assert rmb.rerun(record, row, plugins=registry).added == {}
    experts = {"action": {**records["results"][0]["configuration"]["training"]["experts"]}}
    training = {"base": None, "experts": experts, "joint": None, "own": None, "merge": None}
    with pytest.raises(HandledError, match="with another configuration"):
        rmb.rerun(edited(record, tmp_path / "t.json", training=training), row, plugins=registry)


def test_texts_are_quoted_where_some_reader_would_take_them_for_numbers() -> None:
    value = {
        "a": ["no", "1e5", "0o17", "1:30", "on", "~", "", " x ", "loo-released", ".5", "é\n# b"],
        "b": [1e-5, 1.0, 7, True, None, 1e300],
    }
    text = text_of(value, ["one", "two\nthree"])
    assert parse_yaml(text, "x").value == value == yaml.safe_load(text)
    assert text.startswith("# one\n# two\n# three\n")
