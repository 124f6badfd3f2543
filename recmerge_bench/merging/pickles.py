"""Pickled checkpoints, unpickled by torch's reader of weights alone, and only where asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.errors import HandledError
from recmerge_bench.merging.checkpoints import DTYPES, Weights

ENDS = (".bin", ".pt", ".pth", ".ckpt")


class Pickled(Weights):
    """A file of ``torch.save``, mapped into memory: it may run no code (``weights_only=True``).

    Args:
        path: the file.

    Raises:
        HandledError: no such file, not torch's, holds something else than tensors by name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise HandledError(f"there is no file {path}")
        self._tensors = _tensors(path, _loaded(path))
        self.names = sorted(self._tensors)

    def __getitem__(self, name: str) -> Tensor:
        return self._tensors[name]

    def files(self) -> list[Path]:
        """The file."""
        return [self.path]


def _loaded(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever a broken or hostile pickle makes of it
        first = str(error).strip().splitlines()[:1]
        why = first[0][:200] if first else type(error).__name__
        raise HandledError(
            f"{path}: not read by torch.load(weights_only=True), which runs no code of the file "
            f"({why}): convert it with safetensors.torch.save_file"
        ) from None


def _tensors(path: Path, loaded: Any) -> dict[str, Tensor]:
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not loaded:
        raise HandledError(f"{path}: holds a {type(loaded).__name__}, not tensors by name")
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise HandledError(f"{path}: {name!r} is a {type(tensor).__name__}, not a tensor")
        if tensor.layout != torch.strided or tensor.dtype not in DTYPES:
            raise HandledError(
                f"{path}: '{name}' is of dtype {tensor.dtype} ({tensor.layout}), which is not "
                f"merged; convert it to one of {', '.join(DTYPES.values())}"
            )
    return {name: tensor.detach() for name, tensor in loaded.items()}
