"""Losses of logits over a whole item table, in blocks of tokens, gradients included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recmerge_bench.toolkit.models.products import by_onednn, product, summed_product

#: Bytes of one block of logits; on a processor it stays in the last cache.
_BLOCK_BYTES = {"cpu": 8 << 20, "cuda": 512 << 20}
#: Bytes that are enough on a processor where this many rows fit: larger ones are mapped anew by
#: every allocation.
_SMALL_BYTES, _ROWS = 2 << 20, 256

#: Of a block's logits float32 [n, I], targets int64 [n, 1] and weights [n, 1]: the weighted sum of
#: losses, float64, and what makes their derivative by the logits, in the logits' place.
Terms = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Callable[[], Tensor]]]


def blocked_loss(
    hidden: Tensor,
    table: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    weights: Tensor,
    terms: Terms,
    fused: bool = True,
) -> Tensor:
    """The sum of a loss of ``hidden @ table.T + bias``; one block of logits is alive at a time.

    Args:
        hidden: float [N, width].
        table: float [I, width].
        bias: float [I] or None.
        targets: int64 [N], rows of the table.
        weights: float [N].
        terms: the loss, see `Terms`.
        fused: add the table's gradient within its product (rounds otherwise than the sum after
            it; a model keeps to the one that its committed results were trained with).

    Returns:
        float32 scalar, float64 where `hidden` is.
    """
    total: Tensor = _Blocked.apply(  # type: ignore[no-untyped-call]
        hidden, table, bias, targets, weights, terms, fused
    )
    return total


def cross_entropy_terms(
    logits: Tensor, targets: Tensor, weights: Tensor
) -> tuple[Tensor, Callable[[], Tensor]]:
    """``w * (logsumexp(logits) - logits[t])``, see `Terms`."""
    top = logits.amax(1, keepdim=True)
    own = logits.gather(1, targets)
    mass = logits.sub_(top).exp_().sum(1, keepdim=True)
    loss = ((mass.log() + top - own) * weights).sum(dtype=torch.float64)
    return loss, lambda: logits.mul_(weights / mass).scatter_add_(1, targets, -weights)


class _Blocked(torch.autograd.Function):
    """The gradients are formed in the forward pass, block by block: nothing is recomputed."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        weights: Tensor,
        terms: Terms,
        fused: bool,
    ) -> Tensor:
        """See `blocked_loss`."""
        grads = _Gradients(hidden, table, bias, any(ctx.needs_input_grad[:3]), fused)
        total = torch.zeros((), dtype=torch.float64, device=hidden.device)
        rows = _rows(hidden.device.type, len(table))
        for first in range(0, len(hidden), rows):
            part = slice(first, first + rows)
            logits = product(hidden[part], table)
            if logits.dtype != torch.float64:
                logits = logits.float()
            if bias is not None:
                logits += bias
            loss, slope = terms(logits, targets[part, None], weights[part, None])
            if grads.wanted:
                grads.add(hidden, table, slope(), part)
            total += loss
        ctx.save_for_backward(grads.hidden, grads.table, grads.bias)
        return total if hidden.dtype == torch.float64 else total.float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Scale what the forward pass formed."""
        hidden, table, bias = ctx.saved_tensors
        if not len(table):
            return (None,) * 7
        by_bias = bias * grad if len(bias) else None
        return hidden * grad, table * grad, by_bias, None, None, None, None


def _rows(device: str, items: int) -> int:
    """Tokens of a block."""
    most = _BLOCK_BYTES.get(device, _BLOCK_BYTES["cpu"]) // (4 * items)
    if device != "cuda":
        most = min(most, max(_SMALL_BYTES // (4 * items), _ROWS))
    return most // _ROWS * _ROWS or max(16, most // 64 * 64)


class _Gradients:
    """Running gradients of the three inputs."""

    def __init__(
        self, hidden: Tensor, table: Tensor, bias: Tensor | None, wanted: bool, fused: bool
    ) -> None:
        self.wanted, self.fused = wanted, fused
        empty = hidden.new_empty(0)
        self.hidden = torch.empty_like(hidden) if wanted else empty
        # `summed_product` gives the transpose: added up in the order of its entries.
        turned = hidden.new_zeros(table.shape[::-1], dtype=table.dtype).T
        self.table = turned if wanted else empty
        self.bias = torch.zeros_like(bias) if wanted and bias is not None else empty

    def add(self, hidden: Tensor, table: Tensor, slope: Tensor, part: slice) -> None:
        """What a block's derivative by its logits (float32 [n, I]) adds."""
        self.hidden[part] = product(slope, table.T)
        if self._within(hidden[part], table, slope):
            self.table.addmm_(slope.T, hidden[part])
        else:
            self.table += summed_product(slope, hidden[part])
        if len(self.bias):
            self.bias += slope.sum(0)

    def _within(self, hidden: Tensor, table: Tensor, slope: Tensor) -> bool:
        """Whether the table's gradient is added by the product itself, as torch's own can."""
        plain = table.dtype == slope.dtype and not torch.is_autocast_enabled(hidden.device.type)
        return self.fused and plain and not by_onednn(slope, hidden)
