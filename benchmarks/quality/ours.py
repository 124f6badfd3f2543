"""Our SASRec or BERT4Rec on the same MovieLens-100K, with as many training targets as RecBole.

    python benchmarks/quality/ours.py --model sasrec-prenorm --seeds 0,1,2,3,4 --out DIR
    python benchmarks/quality/ours.py --model bert4rec --try 'batch_size=16' ...   (validation only)

The settings were chosen on the validation targets (see README.md in this folder) and fixed before
the test targets were ranked.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Instances, Split
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.evaluation.metrics import ndcg, rank
from recmerge_bench.registry import discover
from recmerge_bench.targets import define

#: Training targets of ten RecBole epochs: SASRec has one in each of the 97,171 rows; BERT4Rec's
#: loss takes 383,178 masked events an epoch (counted in RecBole's own batches, seed 2020).
TARGETS = {"sasrec-prenorm": 10 * 97_171, "bert4rec": 10 * 383_178}
MODEL: dict[str, dict[str, Any]] = {
    "sasrec-prenorm": {"init": "random", "std": 0.1},
    "bert4rec": {"init": "random", "mask_ratio": 0.5},
}
TRAINING: dict[str, dict[str, Any]] = {
    "sasrec-prenorm": {"batch_size": 8, "lr": 0.002, "ema": 0.998},
    "bert4rec": {"batch_size": 32, "lr": 0.002, "schedule": "linear", "warmup": 200},
}


def data() -> tuple[Interactions, Split]:
    """All items as one domain, the last two events of each user held out."""
    spec = discover(environ={}).get("dataset", "ml-100k-whole")
    interactions = define(spec.target, spec.options).load(None)
    return interactions, leave_one_out(interactions, ["movies"])


def train(name: str, seed: int, changes: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """(definition, trained net, facts): stops before the step that would exceed `TARGETS`."""
    from recmerge_bench.training.options import TrainOptions
    from recmerge_bench.training.trainer import fit

    spec = discover(environ={}).get("backbone", name)
    model = {k: v for k, v in changes.items() if k not in TrainOptions.__dataclass_fields__}
    training = {k: v for k, v in changes.items() if k in TrainOptions.__dataclass_fields__}
    definition = define(spec.target, {**MODEL[name], **model})
    interactions, split = data()
    asked = {**TRAINING[name], "eval_every": -1, **training}
    steps = steps_for(definition, interactions, split, seed, asked, TARGETS[name])
    options = TrainOptions(**{**asked, "steps": steps, "epochs": 0})
    start = time.perf_counter()
    result = fit(
        definition, interactions.catalogue, split, ("movies",), "domain", options, seed=seed
    )
    net = definition.build(interactions.catalogue, ("movies",), seed)
    net.load_state_dict(result.state)
    facts = {"targets": result.report["targets"], "steps": steps, "options": asked,
             "model": {**MODEL[name], **model}, "seconds": time.perf_counter() - start}  # fmt: skip
    return definition, net.eval(), facts


def steps_for(
    definition: Any,
    interactions: Interactions,
    split: Split,
    seed: int,
    asked: dict[str, Any],
    limit: int,
) -> int:
    """Steps whose targets stay within the limit, from one trial epoch's count."""
    from recmerge_bench.training.options import TrainOptions
    from recmerge_bench.training.trainer import fit

    whole = {"steps": 0, "epochs": 1, "lr": 0.0, "schedule": "constant"}
    trial = TrainOptions(**{**asked, **whole})
    report = fit(
        definition, interactions.catalogue, split, ("movies",), "domain", trial, seed=seed
    ).report
    return int(limit / (1.01 * report["targets"] / report["steps"]))


def counts(definition: Any, net: Any, instances: Instances) -> dict[str, np.ndarray]:
    """Full-ranking counts by raw user id, in ascending order of it."""
    from recmerge_bench.evaluation.loaded import LoadedModel
    from recmerge_bench.evaluation.split_ranks import rank_split

    interactions, split = data()
    model = LoadedModel(definition, net, ("movies",))
    ranks = rank_split([model], split, interactions.catalogue, instances=instances)
    users = np.array([int(interactions.user_tokens[u]) for u in instances.users])
    items = np.array([int(interactions.catalogue.tokens[i]) for i in instances.targets])
    order = np.argsort(users, kind="stable")
    return {"user": users[order], "target": items[order], "n_better": ranks.n_better[order],
            "n_equal": ranks.n_equal[order]}  # fmt: skip


def mean_ndcg(part: dict[str, np.ndarray]) -> float:
    """NDCG@10 by mid-rank."""
    return float(ndcg(rank(part["n_better"], part["n_equal"]), 10).mean())


def main() -> None:
    """Train each seed; with --try, validation only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=sorted(MODEL), required=True)
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--try", dest="trial", nargs="*", help="key=value: tell validation only")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    changes = {k: yaml.safe_load(v) for k, v in (x.split("=") for x in given.trial or ())}
    for seed in map(int, given.seeds.split(",")):
        definition, net, facts = train(given.model, seed, changes)
        _, split = data()
        line = {"model": given.model, "seed": seed, **facts,
                "valid": mean_ndcg(counts(definition, net, split.valid))}  # fmt: skip
        if given.trial is None:
            test = counts(definition, net, split.test)
            line["test"] = mean_ndcg(test)
            given.out.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(given.out / f"ours-{given.model}-seed{seed}.npz", **test)
            with open(given.out / f"ours-{given.model}.jsonl", "a") as stream:
                stream.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
