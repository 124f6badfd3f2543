"""Folders of models, as transformers and sentence-transformers save them: weights and the rest."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from recmerge_bench.errors import DataError, HandledError
from recmerge_bench.merging.checkpoints import Weights
from recmerge_bench.merging.shards import INDEX
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import is_relative

WEIGHTS = "model.safetensors"
#: What transformers looks for, in this order; a file alone comes before the shards beside it.
NAMES = (WEIGHTS, WEIGHTS + INDEX, "pytorch_model.bin", "pytorch_model.bin" + INDEX)
CONFIG, MODULES, ADAPTER = "config.json", "modules.json", "adapter_config.json"
#: What stands between a module's folder and a tensor's name.
SEPARATOR = "/"
#: Endings and names of what is copied beside merged weights.
_COPIED = (".json", ".txt", ".model", ".jinja", ".py", ".tiktoken", ".vocab")
_LICENCES = ("LICENSE", "LICENCE", "NOTICE")
#: Files of a training, or of a merge, that say nothing of the merged model.
_LEFT = ("trainer_state.json", "merge.json", "all_results.json", "train_results.json",
         "eval_results.json", ADAPTER)  # fmt: skip


class Folder(Weights):
    """A model's folder: the weights in it and in its modules' folders, as one model.

    A tensor of a module's folder is named by it: ``2_Dense/linear.weight``.

    Args:
        path: the folder.
        opened: opens a weight file.

    Attributes:
        parts: folder below `path` ("" for itself) -> its weights.

    Raises:
        HandledError: no weights are in it, or its configuration cannot be merged.
    """

    def __init__(self, path: Path, opened: Callable[[Path], Weights]) -> None:
        self.path = path
        self.parts = {
            module: opened(file)
            for module in modules(path)
            if (file := weight_file(path / module)) is not None
        }
        if not self.parts:
            raise HandledError(_no_weights(path))
        for module in self.parts:
            _refuse_quantised(path / module / CONFIG)
        self._of = {
            prefixed(module, name): (weights, name)
            for module, weights in self.parts.items()
            for name in weights.names
        }
        self.names = sorted(self._of)

    def __getitem__(self, name: str) -> Tensor:
        weights, own = self._of[name]
        return weights[own]

    def like(self, name: str) -> Tensor:
        """As the file's."""
        weights, own = self._of[name]
        return weights.like(own)

    def entries(self, name: str, part: slice) -> Tensor:
        """As the file's."""
        weights, own = self._of[name]
        return weights.entries(own, part)

    def files(self) -> list[Path]:
        """All weight files, and the configurations."""
        configs = [self.path / module / CONFIG for module in self.parts]
        weights = [file for part in self.parts.values() for file in part.files()]
        return [*weights, *(c for c in configs if c.is_file())]


def prefixed(module: str, name: str) -> str:
    """A tensor's name in the whole model."""
    return f"{module}{SEPARATOR}{name}" if module else name


def weight_file(folder: Path) -> Path | None:
    """The file, or the index, that holds a folder's weights.

    Raises:
        HandledError: there are several safetensors files, and none is the model's by its name.
    """
    for name in NAMES:
        if (folder / name).is_file():
            return folder / name
    others = sorted(p for p in folder.glob("*.safetensors") if not p.name.startswith("adapter_"))
    if len(others) > 1:
        raise HandledError(
            f"{folder} holds {len(others)} safetensors files; a model's folder has {WEIGHTS} or "
            f"{WEIGHTS}{INDEX}"
        )
    return others[0] if others else None


def modules(folder: Path) -> list[str]:
    """The folders of a model: itself (""), and those of its sentence-transformers modules.

    Raises:
        DataError: modules.json is none, or names a folder elsewhere.
    """
    file = folder / MODULES
    if not file.is_file():
        return [""]
    listed = read_json(file)
    names = [""]
    for entry in listed if isinstance(listed, list) else [None]:
        path = entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(path, str) or (path and not is_relative(path)):
            raise DataError(f"a module has a path within the folder, not {path!r}", file)
        if path and path not in names:
            names.append(path)
    return names


def configuration(folder: Path) -> dict[str, Any]:
    """What config.json says; empty where there is none.

    Raises:
        DataError: it is no JSON object.
    """
    file = folder / CONFIG
    if not file.is_file():
        return {}
    config = read_json(file)
    if not isinstance(config, dict):
        raise DataError("a configuration is a JSON object", file)
    return config


def companions(folder: Path) -> Iterator[Path]:
    """Files that a merged model has of its base: configuration, tokenizer, modules.

    Paths are below `folder`.
    """
    for module in modules(folder):
        for file in sorted((folder / module).iterdir()):
            if file.is_file() and _is_companion(file.name):
                yield file.relative_to(folder)


def copy_companions(folder: Path, place: Path) -> None:
    """Copy them."""
    for file in companions(folder):
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, place / file)


def _is_companion(name: str) -> bool:
    if name.startswith(".") or name in _LEFT or name.endswith(INDEX):
        return False
    return name.endswith(_COPIED) or name.startswith(_LICENCES)


def _no_weights(path: Path) -> str:
    if (path / ADAPTER).is_file():
        return f"{path} is an adapter's folder: it is no base (give the model that it was made for)"
    return f"{path} holds 0 safetensors files: a model's folder has {WEIGHTS} or {WEIGHTS}{INDEX}"


def _refuse_quantised(file: Path) -> None:
    config = configuration(file.parent)
    quantised = config.get("quantization_config")
    if quantised:
        method = quantised.get("quant_method") if isinstance(quantised, dict) else None
        raise DataError(
            f"the weights are quantised ({method or 'quantization_config'}): dequantise the model "
            "and save it in bf16 first", file,
        )  # fmt: skip
