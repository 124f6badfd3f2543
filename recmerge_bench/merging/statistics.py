"""Statistics that a domain computes at home and ships: all that a T2 strategy sees of its users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.toolkit.merging.grams import GramRecorder


def shipped_grams(
    definition: Backbone,
    net: nn.Module,
    merged: Mapping[str, Any],
    split: Split,
    catalogue: Catalogue,
    domain: str,
    sample: int,
    seed: int,
    pooled: bool = False,
) -> dict[str, Tensor]:
    """Mean Gram matrices of what an expert's linear maps are given, over its own training data.

    Args:
        definition: the backbone.
        net: the expert, in evaluation mode.
        merged: parameters that merge, by name.
        split: whose training parts are run.
        catalogue: the items.
        domain: the expert's.
        sample: training sequences, drawn from `seed`; 0: all.
        seed: of the run.
        pooled: see `GramRecorder.means`.

    Returns:
        float64 [in, in] by parameter name (or some of its rows, see `grams.part_of`), for
        matrices that were given anything.
    """
    offsets, items = split.sequences.training(catalogue.domains.index(domain))
    rows = np.random.Generator(np.random.Philox(key=[seed, 17])).permutation(len(offsets) - 1)
    rows = np.sort(rows[: sample or None])
    longest = definition.max_history()
    maps = {n: p for n, p in net.named_parameters() if n in merged and p.dim() == 2}
    device = next(net.parameters()).device
    lengths = np.minimum(np.diff(offsets)[rows], longest)
    run = definition.encode if definition.scores_are_products() else definition.scores
    with torch.no_grad(), GramRecorder(maps) as recorder:
        for length in np.unique(lengths):  # equal lengths: padding would be counted
            alike = rows[lengths == length]
            for part in np.array_split(alike, -(-len(alike) // 256)):
                places = offsets[part + 1][:, None] - length + np.arange(length)
                histories = torch.from_numpy(items[places].astype(np.int64)).to(device)
                sizes = torch.full((len(part),), int(length), device=device)
                run(net, histories, sizes, domain)
        if run == definition.encode:
            definition.items(net, domain)
    return recorder.means(pooled)
