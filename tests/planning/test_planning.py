"""Suites and plans: strict reading, keys that depend on what matters and on nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from recmerge_bench.errors import HandledError
from recmerge_bench.module_files import module_path
from recmerge_bench.planning.cells import Plan
from recmerge_bench.planning.code import Code
from recmerge_bench.planning.options import complete, training_options
from recmerge_bench.planning.plan import build
from recmerge_bench.planning.sources import Sources
from recmerge_bench.planning.suite_files import load_suite
from recmerge_bench.registry import Registry
from recmerge_bench.running.jobs import config_of
from recmerge_bench.specs import ModelSpec, Profile


def make(registry: Registry, changes: tuple[str, ...] = (), suite: str = "quick") -> Plan:
    return build(load_suite(suite, registry, changes), registry)


def kinds(plan: Plan) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {}
    for cell in plan.cells.values():
        keys.setdefault(cell.kind, set()).add(cell.key)
    return keys


def test_every_cell_comes_after_its_inputs(registry: Registry) -> None:
    plan = make(registry)
    seen: set[str] = set()
    for key, cell in plan.cells.items():
        assert set(cell.inputs.values()) <= seen
        seen.add(key)


def test_strategies_share_experts_and_protocols_share_trainings(registry: Registry) -> None:
    plan = make(registry, ("seeds=[0]",))
    labels = [c.label for c in plan.cells.values() if c.kind == "train"]
    assert len(labels) == len(set(labels))
    experts = [x for x in labels if x.startswith("train sasrec fine-tune")]
    assert len(experts) == 4


def test_the_order_of_keys_in_a_file_changes_no_cell(registry: Registry, tmp_path: Path) -> None:
    suite = load_suite("quick", registry).model_dump(mode="json", exclude_none=True)

    def shuffled(value: Any, rng: random.Random) -> Any:
        if isinstance(value, dict):
            items = [(k, shuffled(v, rng)) for k, v in value.items()]
            rng.shuffle(items)
            return dict(items)
        return value

    file = tmp_path / "shuffled.yaml"
    file.write_text(yaml.safe_dump(shuffled(suite, random.Random(1)), sort_keys=False))
    assert set(make(registry, suite=str(file)).cells) == set(make(registry).cells)


def test_the_order_of_plugins_changes_no_cell(registry: Registry) -> None:
    turned = Registry(
        specs=dict(reversed(registry.specs.items())),
        plugins=list(reversed(registry.plugins)),
        suite_paths=registry.suite_paths,
    )
    assert list(make(turned).cells) == list(make(registry).cells)


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("recmerge_bench.training.trainer", {"train", "merge", "rank", "lists"}),
        ("recmerge_bench.evaluation.ranking", {"train", "merge", "rank", "lists"}),
        ("recmerge_bench.running.stage_rank", {"rank", "lists"}),
        ("recmerge_bench.report.boards.markdown", set()),
        ("recmerge_bench.interface.runs", set()),
        ("recmerge_bench.running.scheduler", set()),
        ("recmerge_bench.untrusted.jsons", set()),
        ("recmerge_bench_plugins.strategies.ties", {"merge", "rank", "lists"}),
    ],
)
def test_an_edit_changes_the_stages_that_run_through_it(
    registry: Registry, module: str, changed: set[str]
) -> None:
    class Edited(Sources):
        def read(self, name: str) -> Code:
            code = super().read(name)
            return replace(code, digest="edited") if name == module else code

    assert module_path(module) is not None
    suite = load_suite("quick", registry, ("seeds=[0]",))
    before = kinds(build(suite, registry, sources=Sources()))
    after = kinds(build(suite, registry, sources=Edited()))
    assert {k for k in before if before[k] != after[k]} == changed


def test_options_and_seeds_change_keys_and_stated_defaults_do_not(registry: Registry) -> None:
    plain = set(make(registry).cells)
    stated = "tracks.merging.backbones.sasrec.options.dropout=0.2"
    other = "tracks.merging.backbones.sasrec.options.dropout=0.3"
    assert set(make(registry, (stated,)).cells) == plain
    assert set(make(registry, (other,)).cells) != plain
    assert not (set(make(registry, ("seeds=[7]",)).cells) & plain) - {
        c.key for c in make(registry).cells.values() if c.seed is None
    }


def test_a_row_may_have_fewer_replicates_than_its_track(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "name: s\nseeds: [5, 6, 7]\nmetrics: [MRR]\ntracks:\n  t:\n    dataset: synthetic\n"
        "    domains: [d0]\n    protocols: [loo]\n    rows:\n      - sasrec\n"
        "      - {method: gru4rec, replicates: 2}\n"
    )
    results = build(load_suite(str(tmp_path / "s.yaml"), registry), registry).results
    seeds = {name: [r.identity["seed"] for r in results if r.identity["method"] == name]
             for name in ("sasrec", "gru4rec")}  # fmt: skip
    assert seeds == {"sasrec": [5, 6, 7], "gru4rec": [5, 6]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("thread=2", "did you mean 'threads'"),
        ("threads=none", "threads"),
        ("tracks.merging.training.step=5", "did you mean 'steps'"),
        ("tracks.merging.rows=[{method: popularity, replicates: true}]", "replicates"),
        ("tracks.merging.backbones.sasrec.options.widht=5", "did you mean 'width'"),
        ("tracks.merging.backbones.sasrec.options.width=wide", "width"),
        ("tracks.merging.domains=[actoin]", "did you mean 'action'"),
        ("tracks.merging.dataset=ml-10k", "did you mean 'ml-100k'"),
        ("tracks.merging.protocols=[lo]", "did you mean 'loo'"),
        ("tracks.merging.rows=[tiess]", "did you mean 'ties'"),
        ("seeds", "key=value"),
    ],
)
def test_bad_suites_are_one_clear_line(registry: Registry, change: str, message: str) -> None:
    with pytest.raises(HandledError, match=message) as caught:
        make(registry, (change,))
    assert "\n" not in str(caught.value)


def test_unknown_suites_and_circles(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(HandledError, match="did you mean 'quick'"):
        load_suite("quik", registry)
    (tmp_path / "a.yaml").write_text("extends: b.yaml\nname: a\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\nname: b\n")
    with pytest.raises(HandledError, match="circle"):
        load_suite(str(tmp_path / "a.yaml"), registry)
    (tmp_path / "c.yaml").write_text("name: [\n")
    with pytest.raises(HandledError, match=r"c\.yaml:2"):
        load_suite(str(tmp_path / "c.yaml"), registry)


def test_the_paper_suite_says_what_is_missing(registry: Registry) -> None:
    plan = make(registry, suite="paper")
    blocked = [c for c in plan.cells.values() if c.blocked]
    assert len(blocked) > 100
    assert all(reason and remedy for reason, remedy in (c.blocked for c in blocked if c.blocked))


def test_training_of_one_domain_is_its_own(registry: Registry) -> None:
    change = "tracks.merging.domain_training={action: {users: 0.1}}"
    plain, other = (make(registry, c) for c in ((), (change,)))
    changed = {
        c.label for k, c in other.cells.items() if c.kind == "train" and k not in plain.cells
    }
    assert changed == {
        f"train {b} fine-tune action seed {s}" for b in ("sasrec", "bert4rec") for s in (0, 1)
    }
    with pytest.raises(HandledError, match=r"'acton', which has no expert.*'action'"):
        make(registry, ("tracks.merging.domain_training={acton: {users: 0.1}}",))


def bases(plan: Plan) -> list[Any]:
    """The trainings of the shared base."""
    return [c for c in plan.cells.values() if c.kind == "train" and " base " in c.label]


def test_a_base_has_options_and_training_of_its_own(registry: Registry) -> None:
    changes = ("seeds=[0]", "tracks.pretrained.base.training={lr: 0.5}")
    plan = make(registry, changes, "recformer-pretraining")
    (base,) = bases(plan)
    assert config_of(base)["domains"] == ["arts", "beauty", "pantry", "sports", "toys"]
    options, training = config_of(base)["model"]["options"], config_of(base)["training"]
    assert (options["objective"], options["start"]) == ("pretraining", "language-model")
    assert (options["encoder"], options["max_tokens"]) == ("longformer-base-weights", 1024)
    assert (training["lr"], training["epochs"], training["accumulate"]) == (0.5, 32, 8)
    weights = plan.cells[base.inputs["base"]]
    assert weights.kind == "weights" and config_of(weights)["model"]["options"] == options
    experts = [c for c in plan.cells.values() if "fine-tune" in c.label and c.kind == "train"]
    assert len(experts) == 3
    for expert in experts:
        assert expert.inputs["base"] == base.key
        assert config_of(expert)["model"]["options"]["objective"] == "fine-tuning"


def test_a_base_may_start_at_random_or_from_the_source(registry: Registry) -> None:
    start = "tracks.pretrained.base.options.start="
    (base,) = bases(make(registry, ("seeds=[0]", f"{start}random"), "recformer-pretraining"))
    assert "base" not in base.inputs
    source = ("seeds=[0]", "tracks.pretrained.base=null", "tracks.pretrained.source=[toys]")
    plan = make(registry, source, "recformer-pretraining")
    (base,) = bases(plan)
    assert config_of(base)["domains"] == ["toys"]
    assert plan.cells[base.inputs["base"]].kind == "weights"
    for change, message in (
        (f"{start}bert", "'bert'|recformer: start is"),
        ("tracks.pretrained.base.options.objectve=1", "did you mean 'objective'"),
        ("tracks.pretrained.base={dataset: amazon-mergerec, domains: [toys], optoins: {}}",
         "did you mean 'options'"),
    ):  # fmt: skip
        with pytest.raises(HandledError, match=message) as caught:
            make(registry, (change,), "recformer-pretraining")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "paper-mergerec",
        "paper-scarce",
        "paper-unseen",
        "mergerec-cpu",
        "merging",
        "recformer-pretraining",
    ],
)
def test_shipped_suites_are_readable(registry: Registry, name: str, tmp_path: Path) -> None:
    plan = build(load_suite(name, registry), registry, tmp_path)
    assert plan.results and all(plan.cells[r.key].blocked for r in plan.results)


def test_an_isolated_track_refuses_what_reads_users(registry: Registry) -> None:
    rows = "tracks.merging.rows=[fine-tune, joint, {method: regmean-shipped, backbones: [sasrec]}]"
    assert make(registry, (rows,)).results
    with pytest.raises(HandledError, match="'regmean-shipped' is of tier T2"):
        make(registry, (rows, "tracks.merging.isolated=true"))


def with_profile(registry: Registry, **more: Any) -> Registry:
    """The registry, with a profile of sasrec-dt (and other changes of its spec)."""
    profiles = {"cpu": Profile({"width": 24}, {"lr": 0.5}), "deep": Profile({"layers": 3})}
    spec = replace(registry.specs["cdsr", "sasrec-dt"], profiles=profiles, **more)
    specs = {**registry.specs, ("cdsr", "sasrec-dt"): spec}
    return Registry(specs=specs, plugins=registry.plugins, suite_paths=registry.suite_paths)


def cdsr_suite(folder: Path, *rows: Any) -> str:
    track = {"dataset": "ml-100k", "domains": ["action", "comedy"], "protocols": ["mixed"]}
    track |= {"profile": "cpu", "training": {"lr": 0.1, "steps": 7}, "rows": list(rows)}
    file = folder / "suite.yaml"
    file.write_text(yaml.safe_dump({"name": "suite", "tracks": {"cdsr": track}}))
    return str(file)


def test_profiles_lie_between_defaults_and_rows(registry: Registry, tmp_path: Path) -> None:
    rows = (
        {"method": "sasrec-dt", "options": {"heads": 1}, "training": {"steps": 9}},
        {"method": "sasrec-dt", "profile": "deep"},
        {"method": "sasrec-dt", "profile": "unheard-of"},
    )
    plan = make(with_profile(registry), suite=cdsr_suite(tmp_path, *rows))
    trains = [config_of(c) for c in plan.cells.values() if c.kind == "train"]
    chosen = [
        (c["model"]["options"]["width"], c["model"]["options"]["layers"], c["training"]["lr"],
         c["training"]["steps"])
        for c in trains
    ]  # fmt: skip
    assert chosen == [(24, 1, 0.5, 9), (256, 3, 0.1, 7), (256, 1, 0.1, 7)]
    assert [r.identity["profile"] for r in plan.results] == ["cpu", "deep", "unheard-of"]


def test_a_single_target_model_is_trained_for_each_domain(
    registry: Registry, tmp_path: Path
) -> None:
    plan = make(with_profile(registry, single_target=True), suite=cdsr_suite(tmp_path, "sasrec-dt"))
    trains = [c for c in plan.cells.values() if c.kind == "train"]
    assert [config_of(c)["target"] for c in trains] == ["action", "comedy"]
    assert all(config_of(c)["domains"] == ["action", "comedy"] for c in trains)
    rank = next(c for c in plan.cells.values() if c.kind == "rank")
    assert config_of(rank)["single_target"] is True
    assert {k: v for k, v in rank.inputs.items() if k.startswith("model")} == {
        "model:action": trains[0].key,
        "model:comedy": trains[1].key,
    }


def test_every_profile_has_options_that_its_method_takes(registry: Registry) -> None:
    seen = 0
    for spec in registry.specs.values():
        for name, profile in (spec.profiles if isinstance(spec, ModelSpec) else {}).items():
            complete(spec, profile.options, f"profile {name}")
            training_options(profile.training, f"profile {name}")
            seen += 1
    assert seen > 10


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("task-arithmetc", "0 rows are its baseline .*did you mean 'task-arithmetic'"),
        ("{method: fine-tune, variant: deep}", "0 rows are its baseline"),
        ("{method: ties, density: 3}", "unknown key"),
    ],
)
def test_a_baseline_is_a_row_of_its_track(registry: Registry, baseline: str, message: str) -> None:
    with pytest.raises(HandledError, match=message):
        make(registry, (f"tracks.merging.baseline={baseline}",))
    plan = make(registry, ("tracks.merging.baseline=fine-tune",))
    assert plan.header["tracks"]["merging"]["baseline"]["method"] == "fine-tune"


@pytest.mark.parametrize("order", ["loo, loo-masked", "loo-masked, loo"])
def test_protocols_that_differ_in_masking_share_a_rank_cell(registry: Registry, order: str) -> None:
    plan = make(registry, ("seeds=[0]", f"tracks.merging.protocols=[{order}]"))
    rows = [r for r in plan.results if r.identity["track"] == "merging"]
    by_protocol = {
        name: {
            tuple(v for k, v in r.identity.items() if k != "protocol"): r
            for r in rows
            if r.identity["protocol"] == name
        }
        for name in ("loo", "loo-masked")
    }
    assert by_protocol["loo"].keys() == by_protocol["loo-masked"].keys() and rows
    for name, row in by_protocol["loo"].items():
        masked = by_protocol["loo-masked"][name]
        assert row.key == masked.key and (row.masked, masked.masked) == (False, True)
        assert row.ranks_key == row.key != masked.ranks_key
    ranks = [c for c in plan.cells.values() if c.kind == "rank" and c.key in {r.key for r in rows}]
    assert len(ranks) == len(by_protocol["loo"])
    alone = make(registry, ("seeds=[0]", "tracks.merging.protocols=[loo]"))
    assert {c.key for c in ranks} <= set(alone.cells)  # no other cell where there is one protocol


def test_sampled_candidates_have_a_rank_cell_of_their_own(registry: Registry) -> None:
    plan = make(registry, ("seeds=[0]", "tracks.merging.protocols=[loo, loo-sampled-99]"))
    keys = {r.identity["protocol"]: set() for r in plan.results}  # type: dict[str, set[str]]
    for row in plan.results:
        keys[row.identity["protocol"]].add(row.ranks_key)
    assert not keys["loo"] & keys["loo-sampled-99"]
