"""Dropout whose mask costs a quarter or an eighth of the random numbers, alike on every device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """As `torch.nn.functional.dropout`, from other random numbers of the default generator.

    On a CPU drawing is most of what torch's own costs. Here one random integer of 64 bits decides
    on eight entries where `p` is a multiple of 1/256, else on four; `p` is then rounded to
    a multiple of 1/65536, and the scale is that of the rounded one. Half precision has torch's own.

    Args:
        x: any shape, floating point.
        p: chance of an entry to become 0; the others are divided by ``1 - p``.
        training: whether anything is dropped.
    """
    wide = x.dtype in (torch.float32, torch.float64)
    if not (training and 0 < p < 1 and wide):
        return F.dropout(x, p, training)
    bits = 8 if (p * 256).is_integer() else 16
    limit = round(p * (1 << bits))
    if limit == 0:
        return x
    if limit == 1 << bits:  # so near 1 that none of these numbers keeps an entry
        return F.dropout(x, p, training)
    least = limit - (1 << bits - 1)
    scale = (1 << bits) / ((1 << bits) - limit)
    dropped: Tensor = _Dropped.apply(x, _words(x, bits), least, scale)  # type: ignore[no-untyped-call]
    return dropped


def _words(x: Tensor, bits: int) -> Tensor:
    """Signed random integers of so many bits, the shape of `x`."""
    drawn = torch.empty(-(-x.numel() * bits // 64), dtype=torch.int64, device=x.device)
    drawn.random_(-(1 << 63), None)
    return drawn.view(torch.int8 if bits == 8 else torch.int16)[: x.numel()].view(x.shape)


class _Dropped(torch.autograd.Function):
    """``x * scale`` where the words are at least `least`, else 0; the gradient needs them alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, words: Tensor, least: int, scale: float) -> Tensor:
        ctx.save_for_backward(words)
        ctx.least, ctx.scale = least, scale
        return _kept(x, words, least, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (words,) = ctx.saved_tensors
        return _kept(grad, words, ctx.least, ctx.scale), None, None, None


def _kept(x: Tensor, words: Tensor, least: int, scale: float) -> Tensor:
    # The gradient of a threshold is the one masking by numbers that torch does with whole vectors.
    out: Tensor = torch.ops.aten.threshold_backward(x, words.to(x.dtype), least - 0.5)
    return out.mul_(scale)
