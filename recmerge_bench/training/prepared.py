"""What a model computed from the training parts before training: buffers beside its weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from recmerge_bench.data.interactions import Catalogue
from recmerge_bench.data.sequences import Split
from recmerge_bench.definitions import Backbone
from recmerge_bench.errors import HandledError
from recmerge_bench.policy import action

#: Where the arrays of `Backbone.prepare` stand in a state dict.
PREFIX = "prepared."

Value = TypeVar("Value")


class Prepared(nn.Module):
    """Arrays as buffers, by name."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(np.array(array)))


def prepares(definition: Backbone) -> bool:
    """Whether ranking takes what the model prepares (and its policy does not drop)."""
    own = type(definition).prepare is not Backbone.prepare
    return own and action(PREFIX, definition.policy) != "drop"


def prepare(
    definition: Backbone,
    split: Split,
    catalogue: Catalogue,
    domains: Sequence[str],
    users: float = 1.0,
) -> Mapping[str, np.ndarray]:
    """The model's arrays for a training on that share of the sequences.

    Raises:
        HandledError: the model reads all training parts where only a share may be trained on.
    """
    arrays = definition.prepare(split, catalogue, domains)
    if users < 1 and arrays:
        raise HandledError(
            f"training option users is {users}, but {type(definition).__name__} prepares itself "
            "from all training sequences: set users to 1"
        )
    return arrays


def attach(net: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Lay arrays into a net as ``net.prepared.<name>``; nothing where there are none."""
    if arrays:
        net.prepared = Prepared(arrays)


def without(tensors: Mapping[str, Value]) -> dict[str, Value]:
    """The tensors that were not prepared: what a training may start from."""
    return {name: value for name, value in tensors.items() if not name.startswith(PREFIX)}


def stored(tensors: Mapping[str, Tensor], where: Path) -> dict[str, np.ndarray]:
    """The arrays among the tensors of a weight file.

    Raises:
        HandledError: there are none.
    """
    arrays = {
        name.removeprefix(PREFIX): value.numpy()
        for name, value in tensors.items()
        if name.startswith(PREFIX)
    }
    if not arrays:
        raise HandledError(
            f"{where}: lacks what the model prepares from training parts ({PREFIX}*)"
        )
    return arrays
