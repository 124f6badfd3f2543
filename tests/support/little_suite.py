"""A suite that trains and merges in a few seconds, for tests of stores."""

from __future__ import annotations

from typing import Any

LITTLE: dict[str, Any] = {
    "name": "little", "title": "On a store", "label": "smoke", "seeds": [0], "metrics": ["NDCG@10"],
    "tracks": {
        "merging": {
            "dataset": "ml-100k", "domains": ["action"], "source": "drama", "protocols": ["loo"],
            "training": {
                "steps": 4, "epochs": 0, "eval_every": -1, "save_every": 2, "batch_size": 16
            },
            "backbones": {
                "sasrec": {"options": {"width": 16, "layers": 1, "heads": 1, "max_len": 10}}
            },
            "rows": ["popularity", "task-arithmetic"],
        }
    },
}  # fmt: skip
