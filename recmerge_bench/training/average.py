"""An exponential moving average of weights, kept beside the net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Follows parameters as they train.

    Args:
        parameters: by name; the net's own.
        decay: of a step; in step t at most (1 + t) / (10 + t), so that the start is forgotten.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.parameters, self.decay = parameters, decay
        self.values = {n: p.detach().clone() for n, p in parameters.items()}

    def update(self, step: int) -> None:
        """Take in the parameters after step `step`, counted from 0."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.values.values()), list(self.parameters.values()), share)

    def restore(self, values: Mapping[str, Tensor]) -> None:
        """Go on from a checkpoint's values."""
        for name, value in self.values.items():
            value.copy_(values[name])

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The net with the average for its weights, for as long as the context lasts."""
        with torch.no_grad():
            kept = {n: p.clone() for n, p in self.parameters.items()}
            for name, parameter in self.parameters.items():
                parameter.copy_(self.values[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self.parameters.items():
                    parameter.copy_(kept[name])
