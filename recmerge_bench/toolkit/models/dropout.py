"""Dropout whose mask costs a processor a quarter or an eighth of the random numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """As `torch.nn.functional.dropout`, from other random numbers of the default generator.

    On a processor, where drawing is most of what torch's own costs, one random integer of 64 bits
    decides on eight entries where `p` is a multiple of 1/256, else on four; `p` is then rounded to
    a multiple of 1/65536, and the scale is that of the rounded one. Elsewhere it is torch's own.

    Args:
        x: any shape, floating point.
        p: chance of an entry to become 0; the others are divided by ``1 - p``.
        training: whether anything is dropped.
    """
    if not training or not 0 < p < 1 or x.device.type != "cpu":
        return F.dropout(x, p, training)
    bits = 8 if (p * 256).is_integer() else 16
    limit = round(p * (1 << bits))
    if limit == 0:
        return x
    kept = _words(x, bits) >= limit - (1 << bits - 1)
    scale = (1 << bits) / ((1 << bits) - limit)
    dropped: Tensor = _Dropped.apply(x, kept, scale)  # type: ignore[no-untyped-call]
    return dropped


def _words(x: Tensor, bits: int) -> Tensor:
    """Signed random integers of so many bits, the shape of `x`."""
    drawn = torch.empty(-(-x.numel() * bits // 64), dtype=torch.int64).random_(-(1 << 63), None)
    return drawn.view(torch.int8 if bits == 8 else torch.int16)[: x.numel()].view(x.shape)


class _Dropped(torch.autograd.Function):
    """``x * kept * scale``; the gradient needs the mask alone, a byte an entry."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kept: Tensor, scale: float) -> Tensor:
        ctx.save_for_backward(kept)
        ctx.scale = scale
        return torch.where(kept, x, 0.0).mul_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (kept,) = ctx.saved_tensors
        return torch.where(kept, grad, 0.0).mul_(ctx.scale), None, None
