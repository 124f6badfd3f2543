"""Split -> sampled negatives, drawn once for all methods and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.running.context import Context


def run(context: Context) -> dict[str, Any]:
    """Draw the negatives of every test instance."""
    split, catalogue = context.split(), context.interactions().catalogue
    asked, seed = context.config["count"], context.config["seed"]
    capped = context.config.get("capped", False)
    drawn = draw(split, split.test, catalogue, asked, seed, capped)
    np.save(context.out / "candidates.npy", drawn)
    count = int(drawn.shape[1])
    return {"count": count, "asked": asked, "hash": candidate_hash(drawn, split.test)}
