"""Searches run: equal budgets, killed and resumed, judged by validation targets alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import catalogue, leave_two_out
from commands import command, run
from conftest import SAMPLES

from recmerge_bench.data.codec import save_interactions, save_split
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.errors import HandledError
from recmerge_bench.interface.plans import plan as plan_suite
from recmerge_bench.interface.reruns import rerun
from recmerge_bench.registry import Registry
from recmerge_bench.results.files import load_records
from recmerge_bench.running import stage_train, stage_validate
from recmerge_bench.running.context import Context

pytest.importorskip("optuna")
SEARCHED = SAMPLES / "searched.yaml"


def records(out: Path, suite: str = "searched") -> dict[str, Any]:
    loaded: dict[str, Any] = load_records(out / "records" / f"{suite}.json").to_json()
    return loaded


def cells(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in out.glob("store/*/*/record.json")]


def rows(out: Path, suite: str = "searched") -> dict[str, dict[str, Any]]:
    return {r["identity"]["method"]: r for r in records(out, suite)["results"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("searched")
    done = run(out, suite=SEARCHED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "optuna" not in done.stderr and "study" not in done.stderr + done.stdout
    return out


def test_a_run_searches_and_computes_the_rows_with_what_was_chosen(finished: Path) -> None:
    count = Counter(cell["kind"] for cell in cells(finished))
    assert count["validate"] == 6, "two searches of three trials"
    assert count["rank"] == 2, "the two rows and no trial are ranked on test targets"
    made = rows(finished)
    tuning = made["task-arithmetic"]["configuration"]["tuning"]
    for budget in (tuning["row"], tuning["backbone"]):
        search = budget["search"]
        assert budget["times"] == len(search["trials"]) == 3
        assert budget["data"] == "validation-labels" and search["select"] == "NDCG@10@loo"
    search, options = tuning["row"]["search"], made["task-arithmetic"]["configuration"]["method"]
    assert options["options"]["scale"] == search["trials"][search["chosen"]]["options"]["scale"]
    values = {c["report"]["value"] for c in cells(finished) if c["kind"] == "validate"}
    assert {
        t["value"] for b in ("row", "backbone") for t in tuning[b]["search"]["trials"]
    } == values
    board = (finished / "boards" / "searched.md").read_text()
    assert "3 settings tried on validation labels of d0, d1" in board and "| tuned on" in board


def test_costs_have_what_the_trials_took(finished: Path) -> None:
    costs = json.loads((finished / "records" / "searched.cost.json").read_text())["results"]
    seconds = {entry["identity"]["method"]: entry["seconds"] for entry in costs}
    judged = [c["seconds"] for c in cells(finished) if c["kind"] == "validate"]
    both, backbone = seconds["task-arithmetic"], seconds["fine-tune"]
    assert both["search:validate"] == pytest.approx(sum(judged), abs=0.01)
    assert 0 < backbone["search:validate"] < both["search:validate"], "the backbone's alone"
    assert both["search:train"] > 0 and both["search:merge"] > 0
    own = [c for c in cells(finished) if c["kind"] == "train"]
    trained = sum(v for k, v in both.items() if k.startswith(("train:", "search:train")))
    assert trained == pytest.approx(sum(c["seconds"] for c in own), abs=0.02), "each once"
    board = (finished / "boards" / "searched-cost.md").read_text()
    assert "searching s" in board and "*Searching*" in board


def test_every_trial_of_a_backbone_trains_its_own_models(finished: Path) -> None:
    trained = [c for c in cells(finished) if c["kind"] == "train"]
    assert len({c["config"]["training"]["lr"] for c in trained if "fine-tune" in c["label"]}) == 3
    assert len([c for c in trained if "fine-tune" in c["label"]]) == 6, "two experts a trial"


def test_a_finished_search_is_not_done_again(finished: Path, registry: Registry) -> None:
    before = {c["key"]: c["started"] for c in cells(finished)}
    again = run(finished, suite=SEARCHED)
    assert again.returncode == 0 and "all 2 results cached" in again.stdout
    assert {c["key"]: c["started"] for c in cells(finished)} == before
    planned = plan_suite(str(SEARCHED), out=finished, plugins=registry)
    assert planned.count("to do") == 0 and planned.count("done", "validate") == 6


def test_a_searched_row_is_made_again_from_its_record(finished: Path, registry: Registry) -> None:
    file = finished / "records" / "searched.json"
    again = rerun(file, "method=task-arithmetic", plugins=registry)
    assert again.same_cells and not again.added
    assert "trials:" in again.text and "drawn_with" in again.text


def test_a_plan_before_the_run_shows_what_waits(tmp_path: Path, registry: Registry) -> None:
    planned = plan_suite(str(SEARCHED), out=tmp_path, plugins=registry)
    assert planned.count("to do", "validate") == 2, "the first half, drawn at random"
    waiting = [cell for cell in planned.cells if cell.kind == "rank"]
    assert [cell.status for cell in waiting] == ["to do", "to do"]
    assert all("0 of 3 trials are done" in cell.reason for cell in waiting)
    assert not planned.missing


def test_killed_in_the_middle_of_trials_it_loses_none_and_repeats_none(
    finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    seen: dict[str, float] = {}
    for wanted in (1, 3):
        process = subprocess.Popen(
            command(out, "--jobs", "1", suite=SEARCHED),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and process.poll() is None:
            done = [c for c in cells(out) if c["kind"] == "validate"]
            if len(done) >= wanted and list(out.glob("tmp/*")):  # the next cell is under way
                break
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        now = {c["key"]: c["started"] for c in cells(out)}
        assert seen.items() <= now.items(), "what was finished is not computed again"
        seen = now
    assert sum(c["kind"] == "validate" for c in cells(out)) < 6
    final = run(out, suite=SEARCHED)
    assert final.returncode == 0, final.stdout + final.stderr
    assert seen.items() <= {c["key"]: c["started"] for c in cells(out)}.items()
    assert {c["key"] for c in cells(out)} == {c["key"] for c in cells(finished)}
    assert (out / "boards" / "searched.md").read_bytes() == (
        finished / "boards" / "searched.md"
    ).read_bytes()
    assert rows(out) == rows(finished)


def test_two_runs_share_their_trials(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "shared"
    both = [
        subprocess.Popen(
            command(out, "--jobs", "1", suite=SEARCHED),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
    assert {c["key"] for c in cells(out)} == {c["key"] for c in cells(finished)}
    assert rows(out) == rows(finished)


FAILING = """
from dataclasses import dataclass

from recmerge_bench.api import StrategyDefinition, StrategySpec, hookimpl


class Fragile(StrategyDefinition):
    @dataclass(frozen=True)
    class Options:
        scale: float = 0.5

    def merge(self, given):
        if self.options.scale > 0.5:
            raise RuntimeError("too far")
        return dict(given.experts[0].weights)


@hookimpl
def recmerge_bench_register():
    target = f"{__name__}:Fragile"
    return [StrategySpec("fragile", target, "fails far out", inputs=("base", "experts"))]
"""


def test_a_trial_that_fails_fails_its_row_and_no_other(tmp_path: Path) -> None:
    plugin, suite = tmp_path / "fragile.py", tmp_path / "fragile.yaml"
    plugin.write_text(FAILING)
    text = SEARCHED.read_text().split("    backbones:")[0] + (
        "    backbones: {sasrec: {tuning: none, options: {width: 16, layers: 1, heads: 1}}}\n"
        "    rows: [fine-tune, {method: fragile, tune: {options: {scale: [0.2, 0.4, 0.9]}}}]\n"
    )
    suite.write_text(text)
    out = tmp_path / "out"
    done = run(out, str(plugin), suite=suite)
    assert done.returncode == 1, done.stdout + done.stderr
    manifest = json.loads((out / "suites" / "searched.json").read_text())
    stand = {r["identity"]["method"]: r for r in manifest["results"]}
    assert stand["fine-tune"]["status"] == "done" and stand["fragile"]["status"] == "failed"
    assert "scale=0.9" in stand["fragile"]["reason"] and "too far" in stand["fragile"]["reason"]


def test_the_example_suite_runs(tmp_path: Path) -> None:
    done = run(tmp_path, suite="tuned")
    assert done.returncode == 0, done.stdout + done.stderr
    made = rows(tmp_path, "tuned")
    budgets = {name: row["configuration"]["tuning"]["row"]["times"] for name, row in made.items()}
    assert budgets == {
        "popularity": 0, "fine-tune": 0, "weight-averaging": 0, "task-arithmetic": 4, "ties": 4,
        "sasrec-dt": 3,
    }  # fmt: skip
    assert Counter(c["kind"] for c in cells(tmp_path))["validate"] == 4 + 4 + 4 + 3


# -- the stage ---------------------------------------------------------------------------------


def judged(folder: Path, items: list[list[int]], cat: Any, **changed: Any) -> dict[str, Any]:
    """What the stage says of a counting model of these users' items."""
    split = leave_two_out(items, [0] * len(items), cat)
    times = np.zeros(len(split.sequences.items), np.int64)
    users = [f"u{n}" for n in range(len(items))]
    events = Interactions(split.sequences.offsets, split.sequences.items, times, users, cat)
    save_interactions(events, folder / "data")
    save_split(split, folder / "split")
    (folder / "model").mkdir()
    model = {"target": "recmerge_bench_plugins.baselines.popularity:Popularity", "options": {}}
    metric = {
        "target": "recmerge_bench_plugins.metrics.ranking_metrics:DiscountedGain",
        "options": {},
    }
    config = {
        "model": model, "counting": True, "domains": ["alpha"], "together": True,
        "initial_tables": False,
        "selection": {"name": "NDCG@10@loo", "metric": {**metric, "k": 10}, "mask_history": False},
        **changed,
    }  # fmt: skip
    inputs = {"split": folder / "split", "data": folder / "data"}
    out = folder / "model"
    context = Context(config, inputs, out, out, 0, 1, "cpu", lambda state: None)
    stage_train.run(context)
    return stage_validate.run(replace(context, inputs={**inputs, "model": out}))


def users(test_item: int) -> list[list[int]]:
    return [[(u + i * i) % 9 for i in range(4)] + [u % 9, test_item] for u in range(60)]


def test_test_targets_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recmerge_bench.evaluation import split_ranks
    from recmerge_bench.training import validation

    # Imported for the first time below, it would keep the patched function for later tests.
    assert validation.rank_split is split_ranks.rank_split

    ranked: list[tuple[int, set[int]]] = []
    plain = split_ranks.rank_split

    def watched(models: Any, split: Any, *more: Any, **named: Any) -> Any:
        instances = more[2]
        ranked.append((len(split.test), set(instances.targets.tolist())))
        assert 20 not in split.sequences.items and 25 not in split.sequences.items
        return plain(models, split, *more, **named)

    monkeypatch.setattr(split_ranks, "rank_split", watched)
    cat = catalogue((30,), ("alpha",))
    reports = []
    for item in (20, 25):
        (tmp_path / str(item)).mkdir()
        reports.append(judged(tmp_path / str(item), users(item), cat))
    assert reports[0] == reports[1]
    assert reports[0]["targets"] == 60 and reports[0]["select"] == "NDCG@10@loo"
    assert reports[0]["value"] == reports[0]["values"]["alpha"] > 0
    assert ranked == [(0, set(range(9)))] * 2


def test_a_domain_without_validation_targets_is_refused(tmp_path: Path) -> None:
    cat = catalogue((30, 20))
    with pytest.raises(HandledError, match="'beta' has no validation target"):
        judged(tmp_path, users(20), cat, domains=["alpha", "beta"])
