"""Results carry their configuration: options, trainings, data, protocol, tuning; its hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import committed

from recmerge_bench.errors import HandledError
from recmerge_bench.planning.cells import Plan, Result
from recmerge_bench.planning.configuration import Configuration, configured
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.results.files import load_records
from recmerge_bench.running.jobs import config_of

TRACK: dict[str, Any] = {
    "dataset": "ml-100k", "domains": ["action", "comedy"], "source": "drama",
    "protocols": ["loo", "loo-sampled-99"], "profile": "cpu", "training": {"steps": 7, "epochs": 0},
    "pretraining": {"steps": 5}, "joint": {"steps": 11},
    "domain_training": {"comedy": {"lr": 0.5}},
    "backbones": {"sasrec": {"options": {"width": 8}, "training": {"batch_size": 16}}},
}  # fmt: skip
ROWS: list[Any] = [
    "popularity", "fine-tune", "joint", "zero-shot",
    {"method": "ties", "options": {"density": 0.3}, "variant": ""},
    {"method": "sasrec-dt", "training": {"steps": 9}},
]  # fmt: skip


def planned(registry: Registry, folder: Path, rows: list[Any] = ROWS, **track: Any) -> Plan:
    file = folder / "suite.yaml"
    whole = {"name": "suite", "threads": 2, "tracks": {"one": {**TRACK, **track, "rows": rows}}}
    file.write_text(yaml.safe_dump(whole))
    return build(load_suite(str(file), registry), registry)


def of(plan: Plan, method: str, protocol: str = "loo") -> Configuration:
    settings = first(plan, method, protocol).configuration
    assert settings is not None
    return settings


def first(plan: Plan, method: str, protocol: str = "loo") -> Result:
    return next(
        r for r in plan.results
        if (r.identity["method"], r.identity["protocol"]) == (method, protocol)
    )  # fmt: skip


def test_options_are_complete_whatever_the_label_says(registry: Registry, tmp_path: Path) -> None:
    plan = planned(registry, tmp_path)
    ties = of(plan, "ties")
    assert ties.method.options["density"] == 0.3 and ties.method.options["scale"] == 1.0
    assert ties.method.kind == "strategy" and first(plan, "ties").identity["variant"] == ""
    assert ties.backbone is not None and ties.backbone.options["width"] == 8
    assert ties.backbone.options["heads"] == 2
    assert (ties.domains, ties.source) == (["action", "comedy"], ["drama"])
    assert ties.dataset.options == {"whole": False} and ties.threads == 2
    assert ties.protocol.options["negatives"] == 0
    assert of(plan, "ties", "loo-sampled-99").protocol.options["negatives"] == 99


def test_every_training_behind_a_row_is_there_and_no_other(
    registry: Registry, tmp_path: Path
) -> None:
    plan = planned(registry, tmp_path)
    ties = of(plan, "ties").training
    assert ties.base is not None and (ties.base["steps"], ties.base["batch_size"]) == (5, 16)
    assert [(d, t["lr"]) for d, t in ties.experts.items()] == [("action", 0.001), ("comedy", 0.5)]
    assert ties.experts["action"]["steps"] == 7 and ties.joint is ties.own is None
    joint = of(plan, "joint").training
    assert joint.joint is not None and joint.joint["steps"] == 11 and joint.experts == {}
    zero = of(plan, "zero-shot").training
    assert zero.base is not None and zero.experts == {} and zero.joint is None
    own = of(plan, "sasrec-dt").training
    assert own.own is not None and own.own["steps"] == 9 and own.base is None
    assert of(plan, "popularity").training.own is None
    everything = {  # what the cells are told is what the configurations say
        str(config_of(c)["training"]) for c in plan.cells.values() if c.kind == "train"
    }
    trainings: set[str] = {"{}"}
    for result in plan.results:
        assert result.configuration is not None
        training = result.configuration.training
        parts = (training.base, training.joint, training.own, *training.experts.values())
        trainings |= {str(p) for p in parts if p is not None}
    assert trainings == everything


def test_a_base_of_other_data_says_which(registry: Registry) -> None:
    plan = build(load_suite("recformer-pretraining", registry), registry)
    settings = of(plan, "weight-averaging", plan.results[0].identity["protocol"])
    assert settings.base is not None and settings.base.dataset.name == "amazon-mergerec"
    assert settings.base.options["objective"] == "pretraining"
    assert settings.backbone is not None and settings.backbone.options["objective"] == "fine-tuning"
    assert settings.training.base is not None and settings.training.base["accumulate"] == 8
    assert settings.encoder is not None and settings.encoder.name


def test_equal_configurations_have_equal_hashes_and_seeds_share_one(
    registry: Registry, tmp_path: Path
) -> None:
    def hashes(plan: Plan, method: str) -> list[str]:
        return [configured(r.configuration)["configuration_sha256"] for r in plan.results
                if (r.identity["method"], r.identity["protocol"]) == (method, "loo")]  # fmt: skip

    before = planned(registry, tmp_path)
    (plain,) = hashes(before, "ties")
    stated = {"method": "ties", "options": {"scale": 1.0, "density": 0.3}, "variant": "my best"}
    labelled = planned(registry, tmp_path, [stated])
    assert hashes(labelled, "ties") == [plain]
    assert first(labelled, "ties").key == first(before, "ties").key
    other = {"method": "ties", "options": {"density": 0.4}, "variant": ""}
    assert hashes(planned(registry, tmp_path, [other]), "ties") != [plain]
    assert len(set(hashes(planned(registry, tmp_path, seeds=[0, 1]), "ties"))) == 1


LABELS = {"tried": "densities", "data": "validation-labels", "times": 3}


def test_a_tuning_budget_is_in_the_configuration_and_in_no_key(
    registry: Registry, tmp_path: Path
) -> None:
    plain = planned(registry, tmp_path, ["ties"])
    assert of(plain, "ties").tuning.row is None
    none = of(planned(registry, tmp_path, ["ties"], tuning="none"), "ties").tuning.row
    assert none is not None and (none.data, none.times, none.domains) == ("none", 0, [])
    tuned = planned(registry, tmp_path, [{"method": "ties", "tuning": LABELS}], tuning="none")
    row = of(tuned, "ties").tuning.row
    assert row is not None and (row.data, row.times, row.tried) == (
        "validation-labels", 3, "densities",
    )  # fmt: skip
    assert (row.dataset, row.domains) == ("ml-100k", ["action", "comedy"])
    assert first(tuned, "ties").key == first(plain, "ties").key
    options = {"sasrec": {"tuning": {**LABELS, "domains": ["comedy"]}}}
    backbone = of(planned(registry, tmp_path, ["ties"], backbones=options), "ties").tuning.backbone
    assert backbone is not None and backbone.domains == ["comedy"]


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ({"data": "test-labels", "tried": "x", "times": 1}, "tuning"),
        ({"data": "validation-labels"}, "how many times"),
        ({"times": 2}, "data is none"),
        ({"tims": 2}, "unknown key.*did you mean 'times'"),
        ("nothing", "tuning"),
    ],
)
def test_a_wrong_budget_is_one_line(
    registry: Registry, tmp_path: Path, tuning: Any, message: str
) -> None:
    with pytest.raises(HandledError, match=message) as caught:
        planned(registry, tmp_path, [{"method": "ties", "tuning": tuning}])
    assert "\n" not in str(caught.value)


def test_an_isolated_track_refuses_rows_tuned_on_its_users(
    registry: Registry, tmp_path: Path
) -> None:
    def isolated(tuning: Any, **track: Any) -> Plan:
        rows = [{"method": "ties", "tuning": tuning}]
        return planned(registry, tmp_path, rows, isolated=True, **track)

    fine = (
        None, "none", {**LABELS, "data": "pseudo-users"}, {**LABELS, "domains": ["horror"]},
        {**LABELS, "dataset": "ml-1m"},
    )  # fmt: skip
    assert all(isolated(tuning).results for tuning in fine)
    for data in ("validation-labels", "training-data"):
        with pytest.raises(HandledError, match=r"'ties' was tuned .*\(action, comedy\)"):
            isolated({**LABELS, "data": data})
    for domain in ("comedy", "drama", "romance"):  # scored, the source, merged alone
        with pytest.raises(HandledError, match=rf"'ties' was tuned .*\({domain}\)"):
            isolated({**LABELS, "domains": [domain]}, experts=["action", "romance"])
    with pytest.raises(HandledError, match="'ties' was tuned"):
        planned(registry, tmp_path, ["ties"], isolated=True, tuning=LABELS)


@pytest.mark.parametrize("name", ["mergerec-cpu", "merit-cpu"])
def test_committed_records_are_their_suites_rows(registry: Registry, name: str) -> None:
    """Named, placed and tuned as the suite says."""
    records = load_records(committed(f"records/{name}.json")).to_json()
    planned_now = build(load_suite(name, registry), registry).results

    def name_of(identity: Any) -> str:
        return json.dumps(dict(identity), sort_keys=True)

    recorded = {name_of(r["identity"]): r["configuration"] for r in records["results"]}
    assert list(recorded) == [name_of(r.identity) for r in planned_now]
    assert len([configuration for configuration in recorded.values() if configuration]) >= 144
    for result in planned_now:
        configuration = configured(result.configuration)["configuration"]
        ours = recorded[name_of(result.identity)]
        assert ours is None or ours["tuning"] == configuration["tuning"]


def test_rows_tuned_on_labels_stand_in_tracks_that_say_so(registry: Registry) -> None:
    suite = load_suite("mergerec-cpu", registry)
    tuned = {
        (name, row.method) for name, track in suite.tracks.items() for row in track.rows
        if row.tuning and row.tuning.data == "validation-labels"
    }  # fmt: skip
    assert {track for track, _ in tuned} == {
        "tuned-on-labels", "merged-2-tuned-on-labels", "random-base-tuned-on-labels",
        "with-user-data",
    }  # fmt: skip
    for track in suite.tracks.values():
        for row in track.rows:
            ours = row.recipe == "fixed" and row.method in ("mergerec", "adamerging-pseudo")
            assert not (ours and row.tuning is None)
