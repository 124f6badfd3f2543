"""A merged model's folder: shards with their index, and what it has of the base's folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from torch import Tensor

from recmerge_bench.files import write_json
from recmerge_bench.merging.checkpoints import Writes, header, raw_bytes
from recmerge_bench.merging.folders import (
    CONFIG,
    SEPARATOR,
    WEIGHTS,
    configuration,
    copy_companions,
)
from recmerge_bench.merging.shards import INDEX
from recmerge_bench.sizes import bytes_of

#: Bytes of a shard where nothing else is said.
SHARD = 5 * 10**9


def shard_size(text: str | int) -> int:
    """Bytes of a size such as ``5GB`` or ``500MiB``.

    Raises:
        HandledError: it is none.
    """
    return bytes_of(text, "a shard's size")


@dataclass(frozen=True)
class MergedFolder:
    """Where a merged model is written as transformers and sentence-transformers read it.

    Attributes:
        place: the new folder.
        base: a folder whose configuration, tokenizer and modules are copied; None: none.
        modules: folders below it that have weights, see `folders.Folder`.
        shard: bytes of a shard at the most (a larger tensor is one of its own).
        changes: keys of each module's config.json that the merged model has otherwise.
        texts: files that the merged model has otherwise.
    """

    place: Path
    base: Path | None
    modules: Sequence[str] = ("",)
    shard: int = SHARD
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def writing(self, like: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Iterator[Writes]:
        """What takes the tensors, in the order of `like`.

        Raises:
            OSError: the folder cannot be written.
        """
        self.place.mkdir(parents=True, exist_ok=True)
        if self.base is not None:
            copy_companions(self.base, self.place)
        for module, changes in self.changes.items():
            _change(self.place / module, changes)
        for name, text in self.texts.items():
            (self.place / name).write_text(text, encoding="utf-8")
        with ExitStack() as stack:
            yield _ShardWriter(self._files(like), like, metadata, stack)

    def _files(self, like: Mapping[str, Tensor]) -> dict[str, Path]:
        """Tensor -> its file; the indices are written."""
        files: dict[str, Path] = {}
        for module in self.modules:
            names = [n for n in like if self._module(n) == module]
            shards = list(_divided(names, like, self.shard))
            for number, shard in enumerate(shards, 1):
                name = WEIGHTS
                if len(shards) > 1:
                    name = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
                files.update(dict.fromkeys(shard, self.place / module / name))
            if len(shards) > 1:
                _write_index(self.place / module, {n: like[n] for n in names}, files)
        return files

    def _module(self, name: str) -> str:
        module, separator, _ = name.rpartition(SEPARATOR)
        return module if separator else ""


def _divided(names: Sequence[str], like: Mapping[str, Tensor], limit: int) -> Iterator[list[str]]:
    """Names in their order, as many together as fit."""
    shard: list[str] = []
    size = 0
    for name in names:
        own = like[name].numel() * like[name].element_size()
        if shard and size + own > limit:
            yield shard
            shard, size = [], 0
        shard.append(name)
        size += own
    if shard:
        yield shard


def _write_index(folder: Path, like: Mapping[str, Tensor], files: Mapping[str, Path]) -> None:
    places = {_own(name): files[name].name for name in like}
    size = sum(t.numel() * t.element_size() for t in like.values())
    write_json(folder / f"{WEIGHTS}{INDEX}",
               {"metadata": {"total_size": size}, "weight_map": places})  # fmt: skip


def _own(name: str) -> str:
    """A tensor's name in its module's files."""
    return name.rpartition(SEPARATOR)[2]


def _change(folder: Path, changes: Mapping[str, Any]) -> None:
    config = {**configuration(folder), **changes}
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")


class _ShardWriter:
    """Writes each tensor to the end of its file; files are opened when their first comes."""

    def __init__(
        self, files: Mapping[str, Path], like: Mapping[str, Tensor], metadata: Mapping[str, str],
        stack: ExitStack,
    ) -> None:  # fmt: skip
        self._files, self._like, self._metadata, self._stack = files, like, metadata, stack
        self._next = iter([name for name, tensor in like.items() if tensor.numel()])
        self._left = 0
        self._name = ""
        self._streams: dict[Path, IO[bytes]] = {
            file: self._opened(file) for file in dict.fromkeys(files.values())
        }

    def write(self, tensor: Tensor) -> None:
        """The next stretch."""
        if not tensor.numel():
            return
        if not self._left:
            self._name = next(self._next)
            self._left = self._like[self._name].numel()
        self._streams[self._files[self._name]].write(raw_bytes(tensor))
        self._left -= tensor.numel()

    def _opened(self, file: Path) -> IO[bytes]:
        own = {_own(n): self._like[n] for n, place in self._files.items() if place == file}
        file.parent.mkdir(parents=True, exist_ok=True)
        stream = self._stack.enter_context(file.open("wb"))
        stream.write(header(own, self._metadata)[0])
        return stream
