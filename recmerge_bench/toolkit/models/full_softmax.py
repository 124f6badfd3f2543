"""Softmax cross entropy over a whole item table in blocks of tokens, gradients included."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Bytes of one block of logits: small enough to stay in a processor's last cache.
_BLOCK_BYTES = {"cpu": 8 << 20, "cuda": 512 << 20}


class FullSoftmax(torch.autograd.Function):
    """``sum_i w_i * (logsumexp(h_i E^T + b) - (h_i E^T + b)[t_i])``.

    The gradients are formed in the forward pass, block by block, so that the logits of one block
    alone are alive: three products as usual, nothing recomputed.
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        weights: Tensor,
    ) -> Tensor:
        """hidden [N, d], table [I, d], bias [I] or None, targets int64 [N], weights [N]."""
        grads = _Gradients(hidden, table, bias, any(ctx.needs_input_grad[:3]))
        total = torch.zeros((), dtype=torch.float64, device=hidden.device)
        limit = _BLOCK_BYTES.get(hidden.device.type, 8 << 20)
        rows = max(16, limit // (4 * len(table)))
        for first in range(0, len(hidden), rows):
            part = slice(first, first + rows)
            total += grads.block(hidden, table, bias, targets, weights, part)
        ctx.save_for_backward(*grads.tensors())
        return total.float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Scale what the forward pass formed."""
        hidden, table, bias = ctx.saved_tensors
        if not len(table):
            return None, None, None, None, None
        return hidden * grad, table * grad, bias * grad if len(bias) else None, None, None


class _Gradients:
    """Running gradients of the three inputs."""

    def __init__(self, hidden: Tensor, table: Tensor, bias: Tensor | None, wanted: bool) -> None:
        self.wanted = wanted
        empty = hidden.new_empty(0)
        self.hidden = torch.empty_like(hidden) if wanted else empty
        self.table = torch.zeros_like(table) if wanted else empty
        self.bias = torch.zeros_like(bias) if wanted and bias is not None else empty

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.hidden, self.table, self.bias

    def block(
        self,
        hidden: Tensor,
        table: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        weights: Tensor,
        part: slice,
    ) -> Tensor:
        """Loss of one block of tokens; its gradients are added."""
        h, t, w = hidden[part], targets[part, None], weights[part, None]
        logits = (h @ table.T).float()
        if bias is not None:
            logits += bias
        top = logits.amax(1, keepdim=True)
        own = logits.gather(1, t)
        mass = logits.sub_(top).exp_().sum(1, keepdim=True)
        loss = ((mass.log() + top - own) * w).sum(dtype=torch.float64)
        if self.wanted:
            slope = logits.mul_(w / mass).scatter_add_(1, t, -w)
            self.hidden[part] = slope @ table
            if self.table.dtype == slope.dtype and not torch.is_autocast_enabled(h.device.type):
                self.table.addmm_(slope.T, h)
            else:
                self.table += slope.T @ h
            if bias is not None:
                self.bias += slope.sum(0)
        return loss
