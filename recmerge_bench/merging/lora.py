"""LoRA adapters as PEFT saves them: read, and applied to the model that they were made for.

An adapter adds ``scale * B A`` to a weight: A [r, in], B [out, r], ``scale = alpha / r`` (Hu et
al., ICLR 2022), or ``alpha / sqrt(r)`` where the configuration says so (rsLoRA, Kalajdzievski,
2023).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recmerge_bench.errors import DataError, HandledError, near
from recmerge_bench.merging.checkpoints import Checkpoint, Weights, empty_like
from recmerge_bench.merging.folders import ADAPTER, weight_file
from recmerge_bench.merging.precision import common
from recmerge_bench.toolkit.merging.vectors import working
from recmerge_bench.untrusted.jsons import read_json

ADAPTER_WEIGHTS = "adapter_model.safetensors"
#: What PEFT puts before the names of the model's modules.
PREFIX = "base_model.model."
_FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<embedding>embedding_)?(?P<factor>[AB])(\.weight)?")


def is_adapter(path: Path) -> bool:
    """Whether a path is an adapter's folder, and no model's."""
    return (path / ADAPTER).is_file() and weight_file(path) is None


@dataclass(frozen=True)
class Pair:
    """What an adapter adds to one module: ``scale * b a``.

    Attributes:
        a: [r, in].
        b: [out, r].
        scale: see above.
        embedding: whether the module is a table, whose weight is [in, out].
        transposed: whether the module's weight is [in, out] for another reason.
    """

    a: Tensor
    b: Tensor
    scale: float
    embedding: bool
    transposed: bool

    @property
    def rank(self) -> int:
        """r."""
        return len(self.a)

    @property
    def shape(self) -> tuple[int, int]:
        """Of the product: (out, in)."""
        return len(self.b), self.a.shape[1]

    def product(self, rows: slice = slice(None)) -> Tensor:
        """Rows of ``scale * b a``: [n, in]."""
        return (working(self.b[rows]) @ working(self.a)) * self.scale

    def added(self, rows: slice = slice(None)) -> Tensor:
        """Rows of what is added to the module's weight, as that lies."""
        if not (self.embedding or self.transposed):
            return self.product(rows)
        return (working(self.a[:, rows]).T @ working(self.b).T) * self.scale


class Adapter:
    """An adapter's folder.

    Args:
        path: the folder.

    Attributes:
        config: what adapter_config.json says.
        pairs: module -> what is added to it.

    Raises:
        HandledError: it is of another kind than LoRA, or holds what is merged in no way of these.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = _config(path / ADAPTER)
        self._file = Checkpoint(_weights(path))
        self.pairs = _pairs(self._file, self.config)

    def files(self) -> list[Path]:
        """The weights and the configuration."""
        return [*self._file.files(), self.path / ADAPTER]

    @cached_property
    def dtype(self) -> torch.dtype:
        """That holds all of its factors."""
        return common(t.dtype for pair in self.pairs.values() for t in (pair.a, pair.b))


def _config(file: Path) -> dict[str, Any]:
    config = read_json(file)
    if not isinstance(config, dict):
        raise DataError("an adapter's configuration is a JSON object", file)
    kind = config.get("peft_type")
    if kind != "LORA":
        raise DataError(f"adapters of type {kind!r} are not merged: LORA is", file)
    if config.get("use_dora"):
        raise DataError("DoRA's magnitudes are not merged: merge the adapter into its model first "
                        "(merge_and_unload)", file)  # fmt: skip
    return config


def _weights(path: Path) -> Path:
    file = path / ADAPTER_WEIGHTS
    if not file.is_file():
        raise HandledError(
            f"{path} has no {ADAPTER_WEIGHTS}; a pickled adapter is saved again by PEFT's "
            "save_pretrained"
        )
    return file


def _pairs(file: Weights, config: Mapping[str, Any]) -> dict[str, Pair]:
    factors: dict[str, dict[str, Tensor]] = {}
    tables = set()
    for name in file.names:
        match = _FACTOR.fullmatch(name)
        if match is None or file[name].dim() != 2:
            raise HandledError(
                f"{file.path}: '{name}' is no LoRA factor of a linear map or a table; biases, "
                "saved modules and convolutions are not merged: train without them, or merge each "
                "adapter into its model first (merge_and_unload)"
            )
        module = match["module"].removeprefix(PREFIX)
        factors.setdefault(module, {})[match["factor"]] = file[name]
        tables |= {module} if match["embedding"] else set()
    return {m: _pair(file.path, m, own, m in tables, config) for m, own in factors.items()}


def _pair(
    path: Path, module: str, factors: Mapping[str, Tensor], embedding: bool,
    config: Mapping[str, Any],
) -> Pair:  # fmt: skip
    if set(factors) != {"A", "B"}:
        raise HandledError(f"{path}: '{module}' has lora_{next(iter(factors))} alone, not both")
    a, b = factors["A"], factors["B"]
    if len(a) != b.shape[1] or not len(a):
        raise HandledError(
            f"{path}: the factors of '{module}' do not fit: A is {list(a.shape)}, B {list(b.shape)}"
        )
    rank = len(a)
    alpha = _pattern(config.get("alpha_pattern"), module, config.get("lora_alpha"))
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)):
        raise HandledError(f"{path.parent / ADAPTER}: lora_alpha is {alpha!r}, not a number")
    divisor = rank**0.5 if config.get("use_rslora") else rank
    transposed = bool(config.get("fan_in_fan_out")) and not embedding
    return Pair(a, b, alpha / divisor, embedding, transposed)


def _pattern(patterns: Any, module: str, otherwise: Any) -> Any:
    """What a pattern says of a module: the end of its name, as PEFT has it."""
    for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
        if module == pattern or module.endswith(f".{pattern}"):
            return value
    return otherwise


class Applied(Weights):
    """A model with an adapter added to it, made as it is looked at, rows at a time.

    Args:
        base: the model.
        adapter: of it; its modules may be called with or without what stands before the model's
            names (``bert.``).

    Raises:
        HandledError: the model has no such module, or one of another shape.
    """

    def __init__(self, base: Weights, adapter: Adapter) -> None:
        self.path, self.names = adapter.path, base.names
        self._base, self._adapter = base, adapter
        self._pairs = _placed(base, adapter)

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._pairs:
            return self._base[name]
        return working(self._base[name]) + self._pairs[name].added()

    def like(self, name: str) -> Tensor:
        """In fp32 at least: what is added is not rounded to the model's precision first."""
        like = self._base.like(name)
        if name not in self._pairs:
            return like
        return empty_like(like, common([like.dtype, torch.float32, self._adapter.dtype]))

    def entries(self, name: str, part: slice) -> Tensor:
        """Of the rows that the stretch touches."""
        start = self._base.entries(name, part)
        if name not in self._pairs:
            return start
        width = self._base.like(name).shape[1]
        rows = slice(part.start // width, -(-part.stop // width))
        first = part.start - rows.start * width
        added = self._pairs[name].added(rows).reshape(-1)[first : first + len(start)]
        return working(start) + added

    def files(self) -> list[Path]:
        """The adapter's: the model's are its own."""
        return self._adapter.files()


def _placed(base: Weights, adapter: Adapter) -> dict[str, Pair]:
    """The model's weight -> what is added to it."""
    known = set(base.names)
    first = f"{next(iter(adapter.pairs))}.weight"
    beginnings = ["", *(n.removesuffix(first) for n in base.names if n.endswith(f".{first}"))]
    beginning = next(
        (b for b in beginnings if all(f"{b}{m}.weight" in known for m in adapter.pairs)), None
    )
    if beginning is None:
        module = next(m for m in adapter.pairs if f"{m}.weight" not in known)
        raise HandledError(
            f"{adapter.path}: it adapts '{module}', which {base.path} does not have"
            f"{near(f'{module}.weight', base.names)}: give the model that it was trained on"
        )
    placed = {f"{beginning}{m}.weight": pair for m, pair in adapter.pairs.items()}
    for name, pair in placed.items():
        shape = tuple(reversed(pair.shape)) if pair.embedding or pair.transposed else pair.shape
        if tuple(base.like(name).shape) != shape:
            raise HandledError(
                f"{adapter.path}: it adds {list(shape)} to '{name}', which is "
                f"{list(base.like(name).shape)} in {base.path}"
            )
    return placed
