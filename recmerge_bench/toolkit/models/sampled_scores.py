"""Scores of a few chosen items for each token, without gathering the items' vectors.

Sampled losses need ``h_n . e_c`` for some hundred items c of each token n. Gathering [N, K, width]
moves gigabytes; so does its gradient. On a processor three sparse products do the same from the
two matrices themselves (the tokens of an item at a time, so that the tokens' vectors stay in the
cache); elsewhere, and where most of a small table is chosen anyway, whole products in blocks of
tokens, of which the chosen columns are kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from recmerge_bench.toolkit.models.products import product, summed_product

#: Bytes of one block of whole products; on a processor it stays in the last cache.
_BLOCK_BYTES = {"cpu": 4 << 20}
#: Up to this many items per choice the whole product is cheaper than single scores.
_PRODUCT_RATIO = 32
#: The mode "sum" of an embedding bag.
_SUM = 0


def chosen_scores(hidden: Tensor, table: Tensor, choices: Tensor) -> Tensor:
    """Scores of chosen rows of a table, differentiable by both.

    Args:
        hidden: [N, width], float32 or float64 (others are read as float32).
        table: [I, width], likewise.
        choices: int64 [N, K], rows of the table.

    Returns:
        [N, K].
    """
    if hidden.dtype != torch.float64:
        hidden, table = hidden.float(), table.float()
    if not choices.numel():  # a batch without targets still has a loss that can go backward
        return hidden.new_zeros(choices.shape) + 0 * (hidden @ table[:1].T).sum()
    with torch.autocast(hidden.device.type, enabled=False):
        scores: Tensor = _Chosen.apply(hidden, table, choices)  # type: ignore[no-untyped-call]
    return scores


class _Chosen(torch.autograd.Function):
    """See `chosen_scores`."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, choices: Tensor) -> Tensor:
        if hidden.device.type != "cpu" or len(table) <= _PRODUCT_RATIO * choices.shape[1]:
            ctx.save_for_backward(hidden, table, choices)
            return _by_products(hidden, table, choices)
        items, order = _narrow(choices.flatten(), len(table)).sort(stable=True)
        tokens = order // choices.shape[1]
        starts = _starts(items, len(table))
        ctx.save_for_backward(hidden, table, choices, starts, order, tokens)
        # What the gradient of `F.embedding_bag` by its weights is: one dot product an entry.
        dots = torch.ops.aten._embedding_bag_per_sample_weights_backward(
            table, hidden, tokens, starts[:-1], items.long(), _SUM
        )
        return torch.empty_like(dots).index_copy_(0, order, dots).view(choices.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        hidden, table, choices, *index = ctx.saved_tensors
        if not index:
            return (*_products_gradients(hidden, table, choices, grad), None)
        starts, order, tokens = index
        by_hidden = F.embedding_bag(choices, table, per_sample_weights=grad, mode="sum")
        by_table = F.embedding_bag(
            tokens,
            hidden,
            starts,
            per_sample_weights=grad.flatten()[order],
            mode="sum",
            include_last_offset=True,
        )
        return by_hidden, by_table, None


def _narrow(rows: Tensor, size: int) -> Tensor:
    """In the smallest type that holds them: a radix sort takes a pass for each byte."""
    for dtype in (torch.int16, torch.int32):
        if size <= torch.iinfo(dtype).max:
            return rows.to(dtype)
    return rows


def _starts(rows: Tensor, size: int) -> Tensor:
    """Where each row's entries begin among the sorted ones, and their end: int64 [size + 1]."""
    return F.pad(torch.bincount(rows, minlength=size).cumsum(0), (1, 0))


def _blocks(hidden: Tensor, table: Tensor) -> list[slice]:
    """Stretches of tokens whose scores of all items fill one block."""
    limit = _BLOCK_BYTES.get(hidden.device.type, 512 << 20)
    fit = limit // (4 * max(len(table), 1))
    step = fit // 256 * 256 or max(16, fit // 64 * 64)
    return [slice(first, first + step) for first in range(0, len(hidden), step)]


def _by_products(hidden: Tensor, table: Tensor, choices: Tensor) -> Tensor:
    parts = _blocks(hidden, table)
    return torch.cat([product(hidden[p], table).gather(1, choices[p]) for p in parts])


def _products_gradients(
    hidden: Tensor, table: Tensor, choices: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor]:
    by_hidden = torch.empty_like(hidden)
    by_table = torch.zeros_like(table.T, memory_format=torch.contiguous_format).T
    for part in _blocks(hidden, table):
        slope = hidden.new_zeros(len(hidden[part]), len(table))
        slope.scatter_add_(1, choices[part], grad[part])
        by_hidden[part] = product(slope, table.T)
        by_table += summed_product(slope, hidden[part])
    return by_hidden, by_table
