"""Settings tried on validation targets alone, as many for each backbone: what suites' rows name.

    python benchmarks/quality/trials.py benchmarks/quality/sequential-trials.yaml \
        --data-root ../shared/data/mergerec --only sasrec

The file says the dataset, the training that is common to all and, for each backbone, the settings
that are tried. Every trial is trained once, with seed 0, up to the best validation value by the
protocol of the file; one line a trial is added to records/<name>.jsonl, and a trial that stands
there is not run again. Test targets are not ranked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.evaluation.metrics import ndcg
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.registry import Registry, discover
from recmerge_bench.targets import define
from recmerge_bench.training.options import TrainOptions
from recmerge_bench.training.trainer import fit
from recmerge_bench.training.validation import Selection

RECORDS = Path(__file__).parent / "records"


def trials(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Each backbone with its settings: what identifies a trial."""
    for backbone, settings in plan["backbones"].items():
        for options in [{**setting} for setting in settings]:
            training = {**plan["training"], **options.pop("training", {})}
            yield {
                "dataset": plan["dataset"],
                "domain": plan["domain"],
                "protocol": plan["protocol"],
                "backbone": backbone,
                "options": options,
                "training": training,
            }


def with_vectors(registry: Registry, name: str, catalogue: Catalogue, kept: Path) -> Catalogue:
    """The catalogue with its texts encoded by encoder ``name``; encoded once, kept in a file."""
    file = kept / f"{name}-{hash_lines(catalogue.texts)}.npy"
    if not file.exists():
        spec = registry.get("encoder", name)
        vectors = define(spec.target, spec.options).encode(
            catalogue.texts, None, "cpu", lambda _: None
        )
        kept.mkdir(parents=True, exist_ok=True)
        np.save(file, vectors)
    return replace(catalogue, vectors=np.load(file))


def hash_lines(texts: Sequence[str]) -> str:
    """A short name of these texts in this order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def run(
    registry: Registry, plan: dict[str, Any], trial: dict[str, Any], root: Path, kept: Path
) -> Any:
    """Train one trial: its best validation value and what it took."""
    spec = registry.get("dataset", trial["dataset"])
    data = define(spec.target, {**spec.options, **plan.get("dataset_options", {})}).load(root)
    spec = registry.get("protocol", trial["protocol"])
    protocol = define(spec.target, spec.options)
    split = protocol.split(data, [trial["domain"]])
    spec = registry.get("backbone", trial["backbone"])
    backbone = define(spec.target, {**spec.options, **trial["options"]})
    encoder, catalogue = backbone.text_encoder(), data.catalogue
    if encoder:
        catalogue = with_vectors(registry, encoder, catalogue, kept)
    name = f"NDCG@10@{trial['protocol']}"
    selection = Selection(name, partial(ndcg, k=10), Ranking(None, protocol.mask_history()), {})
    options = TrainOptions(**trial["training"])
    began = time.process_time()
    report = fit(
        backbone,
        catalogue,
        split,
        (trial["domain"],),
        "domain",
        options,
        seed=0,
        selection=selection,
    ).report
    kept = ("best_valid", "best_step", "steps", "epochs", "targets", "stopped", "parameters")
    return {k: report[k] for k in kept} | {"cpu_seconds": round(time.process_time() - began, 1)}


def main() -> None:
    """Run what is not yet recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--only", help="this backbone")
    parser.add_argument(
        "--vectors", type=Path, default=Path("runs/vectors"), help="folder for encoded texts"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    plan = yaml.safe_load(given.file.read_text())
    record = RECORDS / f"{given.file.stem}.jsonl"
    lines = record.read_text().splitlines() if record.exists() else []
    known = [json.loads(line)["trial"] for line in lines]
    registry = discover(environ={})
    for trial in trials(plan):
        if trial in known or given.only not in (None, trial["backbone"]):
            continue
        result = run(registry, plan, trial, given.data_root, given.vectors)
        with record.open("a") as out:
            out.write(json.dumps({"trial": trial, "result": result}) + "\n")
        print(trial["backbone"], trial["options"], result, flush=True)


if __name__ == "__main__":
    main()
