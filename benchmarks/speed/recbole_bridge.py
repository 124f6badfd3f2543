"""RecBole's evaluator and its order of events, each inside the fence of the plugin's.

Nothing is imported from ``recbole.quick_start``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from recmerge_bench_plugins.backbones.recbole_models.fence import fenced


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """RecBole settings that this project relies on, stated in full."""
    return {
        "checkpoint_dir": str(folder / "saved"),
        "use_gpu": False,
        "show_progress": False,
        "seed": 2026,
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {
            "split": {"LS": "valid_and_test"},
            "order": "TO",
            "group_by": "user",
            "mode": "full",
        },
        "train_neg_sample_args": None,
        **more,
    }


def recbole_metrics(
    scores: np.ndarray, targets: np.ndarray, topk: Sequence[int]
) -> dict[str, float]:
    """RecBole's own evaluator on a matrix of scores: full ranking, history not masked.

    Args:
        scores: float32 [T, items].
        targets: int64 [T], columns of `scores`.
        topk: cut-offs.

    Returns:
        such as ``{"ndcg@10": 0.1}``, ten decimals kept.
    """
    import torch

    with fenced() as folder:
        from recbole.config import Config
        from recbole.evaluator import Collector, Evaluator

        config = Config(
            model="SASRec",
            dataset="ml-100k",
            config_dict=settings(
                folder,
                metrics=["Recall", "Hit", "NDCG", "MRR"],
                topk=list(topk),
                metric_decimal_place=10,
            ),
        )
        collector, evaluator = Collector(config), Evaluator(config)
        padded = torch.full((len(scores), scores.shape[1] + 1), -np.inf)
        padded[:, 1:] = torch.from_numpy(scores)
        rows, columns = torch.arange(len(targets)), torch.from_numpy(targets) + 1
        collector.eval_batch_collect(padded, None, rows, columns)
        values = evaluator.evaluate(collector.get_data_struct())
    return {name: float(value) for name, value in values.items()}


def recbole_test_targets(inter: Path, bundled: bool) -> dict[str, str]:
    """The test target of each user as RecBole's leave-one-out picks it, with its float32 times.

    Args:
        inter: an atomic file of interactions.
        bundled: with the configuration that RecBole bundles for ml-100k (times normalised), or
            with the defaults that any other dataset gets.

    Returns:
        raw user id -> raw item id.
    """
    with fenced() as folder:
        from recbole.config import Config
        from recbole.data import create_dataset

        name = "ml-100k" if bundled else "plain"
        (folder / name).mkdir()
        (folder / name / f"{name}.inter").write_bytes(inter.read_bytes())
        more = settings(folder, data_path=str(folder))
        config = Config(model="SASRec", dataset=name, config_dict=more)
        dataset = create_dataset(config)
        test = dataset.build()[2].inter_feat
        users = dataset.id2token("user_id", test["user_id"])
        items = dataset.id2token("item_id", test["item_id"])
    return dict(zip(map(str, users), map(str, items), strict=True))
