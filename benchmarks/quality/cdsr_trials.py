"""Settings of suite `cdsr`, tried on validation targets alone.

    python benchmarks/quality/cdsr_trials.py --data-root ../shared/data/merit [--only NAME]

Reads cdsr-trials.yaml; trains each trial once with seed 0 and keeps the epoch of the best
validation MRR. One line a trial goes to records/cdsr-trials.jsonl; a trial that stands there as it
is asked is not run again, one that was interrupted goes on. Test targets are not ranked.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split, without_test
from recmerge_bench.evaluation.metrics import mrr
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.registry import Registry, discover
from recmerge_bench.targets import define
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit
from recmerge_bench.training.validation import Selection

HERE = Path(__file__).parent
PLAN = HERE / "cdsr-trials.yaml"
RECORD = HERE / "records" / "cdsr-trials.jsonl"
UNFINISHED = "unfinished"
KEPT = ("best_valid", "best_step", "steps", "epochs", "targets", "stopped", "parameters")


class Task(NamedTuple):
    """What all trials share.

    Attributes:
        catalogue: the items.
        split: whose validation targets count.
        selection: MRR among stored candidates of theirs.
    """

    catalogue: Catalogue
    split: Split
    selection: Selection


def asked(plan: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What identifies a trial."""
    trial = plan["trials"][name]
    return {
        "name": name,
        "model": trial["model"],
        "pair": plan["domains"],
        "protocol": plan["protocol"],
        "options": {**plan["options"], **trial.get("options", {})},
        "training": {**plan["training"], **trial.get("training", {})},
        "seed": 0,
    }


def task(registry: Registry, plan: Mapping[str, Any], root: Path | None) -> Task:
    """The pair, its split and the candidates that the suite's protocol draws for validation."""
    spec = registry.get("dataset", plan["dataset"])
    data = define(spec.target, {**spec.options, **plan["dataset_options"]}).load(root)
    spec = registry.get("protocol", plan["protocol"])
    protocol = define(spec.target, spec.options)
    split = protocol.split(data, plan["domains"])
    count, seed = protocol.candidates(), protocol.candidate_seed()
    drawn = draw(without_test(split), split.valid, data.catalogue, count, seed, False)
    facts = {"candidates": candidate_hash(drawn, split.valid)}
    ranking = Ranking(drawn, protocol.mask_history())
    name = f"MRR@{plan['protocol']}"
    return Task(data.catalogue, split, Selection(name, partial(mrr, k=None), ranking, facts))


def train(
    registry: Registry, given: Task, trial: Mapping[str, Any], resume: Path
) -> dict[str, Any]:
    """One trial: its best validation value, the course of it and what it took."""
    spec = registry.get("cdsr", trial["model"])
    clock = Clock(resume)
    report = fit(
        define(spec.target, {**spec.options, **trial["options"]}),
        given.catalogue,
        given.split,
        tuple(trial["pair"]),
        "mixed",
        TrainOptions(**trial["training"]),
        seed=trial["seed"],
        resume_dir=resume,
        progress=clock.note,
        selection=given.selection,
    ).report
    return {k: report[k] for k in KEPT} | {
        "candidates": report["selection"]["candidates"],
        "cpu_seconds": clock.seconds(),
        **course(report["history"]),
    }


def so_far(resume: Path) -> dict[str, Any] | None:
    """What an unfinished trial has come to, None where it has not begun."""
    state = resume / "training.json"
    if not state.exists():
        return None
    progress = json.loads(state.read_text(encoding="utf-8"))["facts"]["progress"]
    own = {k: progress[k] for k in ("best_valid", "best_step", "targets")}
    facts = {"steps": progress["step"], "epochs": progress["epoch"], "stopped": UNFINISHED}
    return own | facts | {"cpu_seconds": Clock(resume).before, **course(progress["history"])}


def course(history: list[dict[str, Any]]) -> dict[str, Any]:
    """The best epoch and the value of each."""
    best = max(history, key=lambda epoch: epoch["valid"])
    return {"best_epoch": best["epoch"], "valid": [round(e["valid"], 5) for e in history]}


class Clock:
    """CPU seconds of a training over all its processes, noted beside its state.

    Args:
        folder: where the training keeps its state.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "cpu-seconds.json"
        self.before: float | None = 0.0
        if (folder / "training.json").exists():  # None: a start that noted nothing
            self.before = json.loads(self.file.read_text()) if self.file.exists() else None
        self.began = time.process_time()

    def seconds(self) -> float | None:
        """So far; None where a part is not known."""
        spent = time.process_time() - self.began
        return None if self.before is None else round(self.before + spent, 1)

    def note(self, _: dict[str, Any]) -> None:
        """Write it down."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self.seconds()))


def recorded() -> list[dict[str, Any]]:
    """The trials that were run, oldest first: ``trial`` and ``result``."""
    text = RECORD.read_text(encoding="utf-8") if RECORD.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def record(trial: dict[str, Any], result: dict[str, Any]) -> None:
    """Write a trial down, in place of what was known of it."""
    lines = [line for line in recorded() if line["trial"]["name"] != trial["name"]]
    lines.append({"trial": trial, "result": result})
    RECORD.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    print(trial["name"], {k: v for k, v in result.items() if k != "valid"}, flush=True)


def main() -> None:
    """Run what is not yet recorded, or record how far the unfinished have come."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--only", help="this trial")
    parser.add_argument("--work", type=Path, default=Path("runs/cdsr-trials"))
    parser.add_argument("--so-far", action="store_true", help="train nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    plan = yaml.safe_load(PLAN.read_text(encoding="utf-8"))
    done = [r["trial"] for r in recorded() if r["result"]["stopped"] != UNFINISHED]
    wanted = {n: asked(plan, n) for n in plan["trials"] if given.only in (None, n)}
    folders = {name: given.work / str(number) for number, name in enumerate(plan["trials"])}
    if given.so_far:
        for name, trial in wanted.items():
            result = so_far(folders[name])
            if trial not in done and result is not None:
                record(trial, result)
        return
    registry = discover(environ={})
    shared = task(registry, plan, given.data_root)
    for name, trial in wanted.items():
        if trial not in done:
            record(trial, train(registry, shared, trial, folders[name]))
            shutil.rmtree(folders[name], ignore_errors=True)


if __name__ == "__main__":
    main()
