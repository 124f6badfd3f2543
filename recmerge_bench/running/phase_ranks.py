"""Models of phases and the split of all phases -> ranks, a column for each tested phase."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.evaluation.ranking import Ranking
from recmerge_bench.evaluation.ranks import MASKED, RANKS, RankTable, write_ranks
from recmerge_bench.processes.memory_limit import block_within
from recmerge_bench.running.context import Context
from recmerge_bench.running.loading import Stored


def rank_phases(context: Context) -> dict[str, Any]:
    """Rank every phase's targets with the models that stand before it, against all items.

    ``config["phases"]`` has the columns: name -> phase. Their tables stand where the domains' of
    other rank cells stand, with the columns' names as domains.
    """
    from recmerge_bench.evaluation.ranking import BLOCK_BYTES
    from recmerge_bench.evaluation.split_ranks import rank_under

    split, catalogue = context.split(), context.interactions().catalogue
    columns: dict[str, int] = context.config["phases"]
    rankings = {RANKS: Ranking(), MASKED: Ranking(mask_history=True)}
    counts = np.zeros((len(rankings), 2, len(split.test)), np.int32)
    column = np.zeros(len(split.test), np.int32)
    for number, (name, phase) in enumerate(columns.items()):
        rows = np.flatnonzero(split.phases == phase)
        models = stored_for(context, name).models(catalogue)
        tables = rank_under(
            models, split, catalogue, list(rankings.values()), split.test.take(rows),
            block_bytes=block_within(BLOCK_BYTES),
        )  # fmt: skip
        counts[:, :, rows] = [(table.n_better, table.n_equal) for table in tables]
        column[rows] = number
        context.progress({"step": number + 1, "steps": len(columns)})
    for (file, ranking), (better, equal) in zip(rankings.items(), counts, strict=True):
        facts = {
            "protocol": {"mask_history": ranking.mask_history, "candidates": "full"},
            "instances": len(split.test),
        }
        table = RankTable(
            split.test.users, tuple(columns), column, split.test.targets, better, equal, facts
        )
        write_ranks(context.out / file, table)
    return {"protocol": {"candidates": "full"}, "instances": len(split.test)}


def stored_for(context: Context, column: str) -> Stored:
    """The models that rank a column."""
    config, domain = context.config, context.config["catalogue"]
    role = f"model:{column}"
    places: list[Path] = [
        place for name, place in context.inputs.items()
        if name == role or name.startswith(f"{role}:")
    ]  # fmt: skip
    return Stored(
        context.definition("model"),
        {domain: places[-1]},
        (domain,),
        counting=config["counting"],
        together=config["together"],
        members=tuple(places) if config.get("mean_score") else (),
        own_tables=True,
        seed=context.seed,
        device=context.device,
    )
