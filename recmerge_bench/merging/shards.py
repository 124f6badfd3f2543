"""Sharded checkpoints: an ``*.index.json`` and the files that it names, as one model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from recmerge_bench.errors import DataError, near
from recmerge_bench.merging.checkpoints import Weights
from recmerge_bench.untrusted.jsons import read_json
from recmerge_bench.untrusted.paths import is_safe

INDEX = ".index.json"
Opener = Callable[[Path], Weights]


class Sharded(Weights):
    """A model whose tensors lie in several files.

    Args:
        path: the index.
        opened: opens one of its files.

    Raises:
        DataError: the index is none, names files that are not there, or does not agree with what
            they hold.
    """

    def __init__(self, path: Path, opened: Opener) -> None:
        self.path = path
        places = _weight_map(path)
        self._shards = {file: opened(_shard(path, file)) for file in sorted(set(places.values()))}
        self._of = {name: self._shards[file] for name, file in places.items()}
        self.names = sorted(self._of)
        _check_agreement(path, places, self._shards)

    def __getitem__(self, name: str) -> Tensor:
        return self._of[name][name]

    def like(self, name: str) -> Tensor:
        """As the shard's."""
        return self._of[name].like(name)

    def entries(self, name: str, part: slice) -> Tensor:
        """As the shard's."""
        return self._of[name].entries(name, part)

    def files(self) -> list[Path]:
        """The index and all shards."""
        return [self.path, *(file for shard in self._shards.values() for file in shard.files())]


def _weight_map(path: Path) -> dict[str, str]:
    """Tensor -> file."""
    index = read_json(path, remedy="an index.json of a sharded checkpoint is needed")
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict) or not places:
        raise DataError("no index of a sharded checkpoint: it has no 'weight_map'", path)
    for name, file in places.items():
        if not isinstance(file, str) or not is_safe(file):
            raise DataError(
                f"'{name}' is said to lie in {file!r}, which is no file beside the index", path
            )
    return places


def _shard(index: Path, file: str) -> Path:
    path = index.parent / file
    if not path.is_file():
        raise DataError(f"the shard {file} is not there: download or copy it beside the index",
                        index)  # fmt: skip
    return path


def _check_agreement(
    index: Path, places: Mapping[str, str], shards: Mapping[str, Weights]
) -> None:  # fmt: skip
    for name, file in places.items():
        if name not in shards[file].names:
            hint = near(name, shards[file].names)
            raise DataError(f"{file} lacks '{name}', which the index says it holds{hint}", index)
    for file, shard in shards.items():
        beyond = [n for n in shard.names if places.get(n) != file]
        if beyond:
            raise DataError(
                f"{file} holds '{beyond[0]}', which the index does not place there ({len(beyond)} "
                "such): save the model again", index,
            )  # fmt: skip
