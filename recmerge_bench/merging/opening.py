"""What a path means: a weight file, the index of a sharded one, or a model's folder."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from recmerge_bench.errors import HandledError
from recmerge_bench.merging.checkpoints import Checkpoint, Weights
from recmerge_bench.merging.folders import Folder
from recmerge_bench.merging.pickles import ENDS, Pickled
from recmerge_bench.merging.shards import INDEX, Sharded

#: How parts of a sharded checkpoint are called.
_SHARD = re.compile(r"-\d{3,}-of-\d{3,}\.")


def open_weights(path: Path, pickles: bool = False) -> Weights:
    """The weights at a path.

    Args:
        path: a safetensors file, the index of a sharded one, a model's folder, or a pickle.
        pickles: whether pickled files are read, by ``torch.load(weights_only=True)``.

    Raises:
        HandledError: there are none, they cannot be read, or are a shard without the others.
    """
    if path.is_dir():
        return Folder(path, partial(open_file, pickles=pickles))
    if _SHARD.search(path.name) and not path.name.endswith(INDEX):
        raise HandledError(
            f"{path} is a part of a sharded checkpoint: give its folder or its {INDEX[1:]}, a "
            "method has to see the whole model"
        )
    return open_file(path, pickles)


def open_file(path: Path, pickles: bool = False) -> Weights:
    """The same of a file; a shard is taken by itself."""
    if path.name.endswith(INDEX):
        return Sharded(path, partial(open_file, pickles=pickles))
    if path.suffix not in ENDS:
        return Checkpoint(path)
    if not pickles:
        raise HandledError(
            f"{path} is a pickle: give --allow-pickle to have it read by "
            "torch.load(weights_only=True), or convert it with safetensors.torch.save_file"
        )
    return Pickled(path)
