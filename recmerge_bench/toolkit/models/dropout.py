"""Dropout whose mask is drawn sixteen bits an element: a quarter of the draws of torch's own."""

from __future__ import annotations

import torch
from torch import Tensor

#: Steps in which a share is kept: 16 bits.
_STEPS = 1 << 16


def dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Entries set to zero at random, the others scaled so that the expectation stays.

    On a CPU, drawing the mask is most of what `torch.nn.functional.dropout` costs. The share is
    rounded to a multiple of 1/65536, and the scale is that of the rounded one.

    Args:
        x: float, any shape.
        share: chance of an entry to become zero, in [0, 1).
        training: else `x` itself comes back.

    Returns:
        float, the shape of `x`; drawn from the default generator of its device.
    """
    threshold = round(share * _STEPS)
    if not training or threshold == 0:
        return x
    if threshold == _STEPS:
        return x * 0.0
    words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
    bits = words.random_(-(1 << 63), None).view(torch.int16)[: x.numel()].view(x.shape)
    kept = (bits >= threshold - _STEPS // 2).to(x.dtype).mul_(_STEPS / (_STEPS - threshold))
    return x * kept
