"""RecBole trains its models itself, in a process of its own: weights, scores and metrics are kept.

    python recbole_training.py FOLDER MODEL...

FOLDER holds ``walk/walk.inter``; for each model it gets ``MODEL.pt`` (state dict, scores of the
test users), and ``facts.json`` (RecBole's numbers of items, users, metrics).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

SETTINGS = {
    "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
    "eval_args": {
        "split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full",
    },
    "train_neg_sample_args": None,
    "use_gpu": False,
    "show_progress": False,
    "epochs": 2,
    "train_batch_size": 256,
    "MAX_ITEM_LIST_LENGTH": 10,
    "metrics": ["Recall", "NDCG", "MRR"],
    "topk": [5, 10],
    "metric_decimal_place": 10,
    "valid_metric": "NDCG@10",
}  # fmt: skip


def train(folder: Path, name: str) -> dict[str, Any]:
    """Train, test with the best weights, keep what `FOLDER` is to hold; the model's facts."""
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.trainer import Trainer
    from recbole.utils import get_model, init_seed

    given = {**SETTINGS, "data_path": str(folder), "checkpoint_dir": str(folder / name)}
    config = Config(model=name, dataset="walk", config_dict=given)
    init_seed(config["seed"], True)
    dataset = create_dataset(config)
    loaders = data_preparation(config, dataset)
    model = get_model(name)(config, loaders[0].dataset)
    trainer = Trainer(config, model)
    trainer.fit(loaders[0], loaders[1], saved=True, show_progress=False, verbose=False)
    saved = torch.load(trainer.saved_model_file, weights_only=False)["state_dict"]
    model.load_state_dict(saved)
    metrics = trainer.evaluate(loaders[2], load_best_model=False, show_progress=False)
    users, scores = [], []
    with torch.no_grad():
        for batch in loaders[2]:
            users += [str(u) for u in dataset.id2token("user_id", batch[0]["user_id"])]
            scores.append(model.full_sort_predict(batch[0]).view(len(batch[0]), -1))
    torch.save({"state": saved, "scores": torch.cat(scores)}, folder / f"{name}.pt")
    rows = {token: int(row) for token, row in dataset.field2token_id["item_id"].items()}
    return {"metrics": {k: float(v) for k, v in metrics.items()}, "users": users, "rows": rows}


def main() -> None:
    """See the module."""
    folder, names = Path(sys.argv[1]).resolve(), sys.argv[2:]
    sys.argv = sys.argv[:1]
    os.chdir(folder)
    for alias, meant in {"float_": "float64", "complex_": "complex128", "unicode_": "str_"}.items():
        if not hasattr(np, alias):
            setattr(np, alias, getattr(np, meant))
    facts = {name: train(folder, name) for name in names}
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
