"""Dropout whose mask costs a processor an eighth of the random numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """As `torch.nn.functional.dropout`, from other random numbers of the default generator.

    On a processor, where `p` is a multiple of 1 / 256, each of eight bytes of one random integer
    decides on one entry; else it is torch's own.

    Args:
        x: any shape, floating point.
        p: chance of an entry to become 0; the others are divided by ``1 - p``.
        training: whether anything is dropped.
    """
    limit = p * 256
    if not (training and 0 < p < 1 and limit == int(limit) and x.device.type == "cpu"):
        return F.dropout(x, p, training)
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
    keep = words.view(torch.uint8)[: x.numel()].view(x.shape) >= int(limit)
    return x * (keep.to(x.dtype) * (1 / (1 - p)))
