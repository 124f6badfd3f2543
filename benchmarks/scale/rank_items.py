"""Full ranking over many items: 256 users' targets by a SASRec as it is initialised, 64 wide.

    python benchmarks/scale/rank_items.py [--sizes 10000,100000]

`beyond_vectors_mb` is the peak of the process's anonymous memory, imports and catalogue included,
without the item vectors (64 numbers of 4 bytes for each item).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import measuring
import numpy as np

USERS, LENGTH, WIDTH = 256, 20, 64


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """A net over `size` items and users of `LENGTH` events; then their ranks."""
    work = ranking(drawn(size))
    return lambda: {**work(), "item_vectors_mb": size * WIDTH * 4 / 2**20}


def ranking(made: Any) -> measuring.Work:
    """A net over interactions; then their split, and the ranks of its targets."""
    import torch

    from recmerge_bench.data.splits import leave_one_out
    from recmerge_bench.evaluation.loaded import LoadedModel
    from recmerge_bench.evaluation.split_ranks import rank_split
    from recmerge_bench.registry import discover
    from recmerge_bench.targets import define

    torch.set_num_threads(1)
    domains = made.catalogue.domains
    spec = discover(environ={}).get("backbone", "sasrec")
    options = {"init": "random", "width": WIDTH, "layers": 1, "heads": 1, "max_len": LENGTH}
    definition = define(spec.target, {**spec.options, **options})
    model = LoadedModel(definition, definition.build(made.catalogue, domains, 0), domains)

    def work() -> dict[str, Any]:
        split = leave_one_out(made, domains)
        table = rank_split([model], split, made.catalogue)
        return {"users": len(table.n_better)}

    return work


def drawn(items: int, users: int = USERS) -> Any:
    """Events at random, in one domain."""
    from recmerge_bench.data.interactions import Catalogue, Interactions

    events = users * LENGTH
    tokens = [str(n) for n in range(items)]
    catalogue = Catalogue(("d0",), np.array([0, items]), tokens, [""] * items)
    return Interactions(
        np.arange(0, events + 1, LENGTH, dtype=np.int64),
        np.random.default_rng(0).integers(0, items, events, dtype=np.int32),
        np.arange(events, dtype=np.int64), [str(n) for n in range(users)], catalogue,
    )  # fmt: skip


TOPIC = measuring.Topic(
    "items", "Full ranking of many items", "items", (10_000, 100_000, 1_000_000), 200, prepare,
    "1,000,000 items in 1 GB beyond the item vectors",
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
