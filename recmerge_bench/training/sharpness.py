"""Sharpness-aware minimisation (Foret et al., ICLR 2021): weights moved to where the loss rises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def moved_uphill(parameters: Iterable[Tensor], radius: float) -> Iterator[None]:
    """Move parameters along their gradients, all together by `radius`; put back afterwards.

    They get back the bits that they had. Where all gradients are 0 nothing moves.

    Args:
        parameters: with ``grad``; those without one stay.
        radius: Euclidean length of the move, over all of them (eq. 2 with p = 2).
    """
    moving = [p for p in parameters if p.grad is not None]
    before = [p.detach().clone() for p in moving]
    with torch.no_grad():
        grads = [p.grad for p in moving if p.grad is not None]
        length = torch.stack([g.double().square().sum() for g in grads]).sum().sqrt()
        share = torch.where(length > 0, radius / length, 0.0)
        for parameter, grad in zip(moving, grads, strict=True):
            parameter.add_(grad * share.to(grad.dtype))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(moving, before, strict=True):
                parameter.copy_(value)
