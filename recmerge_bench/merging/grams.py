"""Inner products of what linear maps are given, collected while a net runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


class GramRecorder(TorchFunctionMode):
    """While active, adds up x^T x for every `F.linear` whose weight is one of these parameters.

    A map that is applied through some of its rows alone (a part of a joint projection) counts
    too: all its rows see such inputs.

    Attributes:
        grams: float64 [in, in] by parameter name.
        counts: vectors seen, by parameter name.

    Args:
        parameters: matrices [out, in], by name.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._owners = {p.untyped_storage().data_ptr(): n for n, p in parameters.items()}
        self.grams = {
            n: torch.zeros(p.shape[1], p.shape[1], dtype=torch.float64, device=p.device)
            for n, p in parameters.items()
        }
        self.counts = dict.fromkeys(parameters, 0)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Record, then let the function run."""
        if func is F.linear and len(args) >= 2:
            name = self._owners.get(args[1].untyped_storage().data_ptr())
            if name is not None:
                x = args[0].detach().reshape(-1, args[0].shape[-1]).double()
                self.grams[name].addmm_(x.T, x)
                self.counts[name] += len(x)
        return func(*args, **(kwargs or {}))
