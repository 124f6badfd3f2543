"""Which parameters merge, stay with their domain, come from the base, or are dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ACTIONS = ("merge", "domain", "concatenate", "base", "drop")


def action(name: str, policy: Mapping[str, str]) -> str:
    """What happens to the parameter `name`: the longest matching prefix of `policy` decides."""
    best = max((p for p in policy if name.startswith(p)), key=len, default=None)
    return "merge" if best is None else policy[best]


def select(
    weights: Mapping[str, torch.Tensor], policy: Mapping[str, str], wanted: str
) -> dict[str, torch.Tensor]:
    """The tensors whose action is `wanted`; integer buffers never merge."""
    return {
        name: tensor
        for name, tensor in weights.items()
        if (action(name, policy) if tensor.is_floating_point() else "base") == wanted
    }
