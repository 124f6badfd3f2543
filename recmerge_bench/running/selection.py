"""What a cell's configuration says of validation, as the trainer takes it."""

from __future__ import annotations

from functools import partial

import numpy as np

from recmerge_bench.borders.metrics import values_of
from recmerge_bench.data.candidates import candidate_hash
from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.options import CompleteOptions
from recmerge_bench.running.context import Context
from recmerge_bench.training.validation import Selection

#: The input that holds the stored candidates of validation targets.
CANDIDATES = "valid_candidates"


def selection_of(context: Context) -> Selection | None:
    """The metric and the ranking of ``config["selection"]``, None where nothing is validated."""
    config = context.config.get("selection")
    if config is None:
        return None
    drawn, digest = None, "full"
    if CANDIDATES in context.inputs:
        drawn = np.load(context.inputs[CANDIDATES] / "candidates.npy", mmap_mode="r")
        digest = candidate_hash(drawn, context.split().valid)
    masked = bool(config["mask_history"])
    facts = {"name": config["name"], "candidates": digest, "mask_history": masked}
    metric = config["metric"]
    definition = CompleteOptions.read(metric).definition()
    value = partial(values_of, definition, k=metric["k"])
    return Selection(config["name"], value, Ranking(drawn, masked), facts)
