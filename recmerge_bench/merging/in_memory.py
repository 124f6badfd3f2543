"""Checkpoints in memory: a caller's tensors as a file has them, and merged ones collected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from recmerge_bench.errors import HandledError
from recmerge_bench.merging.checkpoints import DTYPES, Weights


class Held(Weights):
    """A caller's tensors, without their gradients, on the CPU.

    Args:
        label: what messages call them.
        tensors: name -> tensor.

    Raises:
        HandledError: a value is no dense tensor, or of a dtype (such as fp8) that is not merged.
    """

    lent: ClassVar[bool] = True

    def __init__(self, label: str, tensors: Mapping[str, Tensor]) -> None:
        self.path = Path(label)
        for name, tensor in tensors.items():
            _check(label, name, tensor)
        self.names = sorted(tensors)
        self._tensors = {name: tensors[name].detach().cpu() for name in self.names}

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]


def _check(label: str, name: object, tensor: object) -> None:
    if not isinstance(name, str):
        raise HandledError(f"{label}: names of parameters are texts, not {name!r}")
    if not isinstance(tensor, Tensor):
        raise HandledError(f"{label}: '{name}' is a {type(tensor).__name__}, not a tensor")
    if tensor.layout != torch.strided or tensor.is_meta:
        raise HandledError(f"{label}: '{name}' is not a dense tensor with values")
    if tensor.dtype not in DTYPES:
        raise HandledError(
            f"{label}: '{name}' is of dtype {tensor.dtype}, which is not merged; convert it to one "
            f"of {', '.join(DTYPES.values())}"
        )


class Collected:
    """Takes the place of a file that is written: tensors filled stretch by stretch.

    Args:
        like: names, dtypes and shapes, in the order in which they come.
    """

    def __init__(self, like: Mapping[str, Tensor]) -> None:
        self.tensors = {n: torch.empty(t.shape, dtype=t.dtype) for n, t in like.items()}
        self._order = [tensor.view(-1) for tensor in self.tensors.values() if tensor.numel()]
        self._filled = 0

    def write(self, tensor: Tensor) -> None:
        """The next stretch; it ends where a tensor ends or before."""
        if not tensor.numel():
            return
        room = self._order[0]
        end = self._filled + tensor.numel()
        room[self._filled : end] = tensor.reshape(-1)
        self._filled = end % room.numel()
        if not self._filled:
            del self._order[0]


def refuse_equal_weights(experts: Sequence[Weights]) -> None:
    """A model that is given twice would count twice.

    Raises:
        HandledError: two hold the same tensors.
    """
    for number, expert in enumerate(experts):
        for other in experts[:number]:
            if expert.names == other.names and all(
                torch.equal(expert[name], other[name]) for name in expert.names
            ):
                raise HandledError(
                    f"{expert.path} and {other.path} hold the same weights: give each model once"
                )
