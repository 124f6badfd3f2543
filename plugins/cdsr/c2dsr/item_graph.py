"""One step over a graph of items, for the items at hand alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def gather_neighbours(
    table: Tensor, rows: Tensor, starts: Tensor, columns: Tensor, values: Tensor
) -> Tensor:
    """Rows of ``graph @ table``: each the weighted sum of the row's neighbours.

    Args:
        table: float [N, width].
        rows: int64 [M].
        starts: int64 [N + 1], see `recmerge_bench.toolkit.data.graphs.ItemGraph`.
        columns: int64 [E].
        values: float32 [E].

    Returns:
        float [M, width]; zero for a row without neighbours.

    Raises:
        ValueError: the graph is not one of the table's rows.
    """
    if len(starts) != len(table) + 1:
        raise ValueError(
            f"a graph of {len(starts) - 1} items does not go with a table of {len(table)}"
        )
    first, counts = starts[rows], starts[rows + 1] - starts[rows]
    ends = counts.cumsum(0)
    total = int(ends[-1]) if len(rows) else 0
    owner = torch.repeat_interleave(
        torch.arange(len(rows), device=rows.device), counts, output_size=total
    )
    at = torch.arange(total, device=rows.device) + (first - ends + counts)[owner]
    if not total:
        return table.new_zeros(len(rows), table.shape[1])
    return F.embedding_bag(
        columns[at],
        table,
        ends - counts,
        mode="sum",
        per_sample_weights=values[at].to(table.dtype),
    )
