"""Split -> sampled negatives, drawn once for all methods and seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from recmerge_bench.data.candidates import candidate_hash, draw
from recmerge_bench.data.sequences import without_test
from recmerge_bench.running.context import Context


def run(context: Context) -> dict[str, Any]:
    """Draw the negatives of every instance of the test, or of the validation (``part``).

    A validation target's negatives may be any items of its domain that the user has not met up to
    it: what the user did later, the test target too, plays no part in them.
    """
    split, catalogue = context.split(), context.interactions().catalogue
    part = context.config.get("part", "test")
    if part == "valid":
        split = without_test(split)
    instances = split.valid if part == "valid" else split.test
    asked, seed = context.config["count"], context.config["seed"]
    capped = context.config.get("capped", False)
    drawn = draw(split, instances, catalogue, asked, seed, capped)
    np.save(context.out / "candidates.npy", drawn)
    count = int(drawn.shape[1])
    return {"count": count, "asked": asked, "hash": candidate_hash(drawn, instances)}
