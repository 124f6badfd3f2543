"""What a stage is handed: its configuration, its inputs' folders, and where to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recmerge_bench.data.codec import load_interactions, load_split, load_tokens
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.sequences import Split
from recmerge_bench.options import CompleteOptions

#: File of a frozen encoder's item vectors.
VECTORS = "vectors.npy"


@dataclass(frozen=True)
class Context:
    """One cell's surroundings.

    Attributes:
        config: the cell's configuration (JSON values).
        inputs: role -> folder of a finished cell, its files checked.
        out: folder to write artefacts to.
        work: folder for state that lets the stage go on after a crash.
        seed: the run's seed, 0 where the result depends on none.
        threads: CPU threads.
        device: ``cpu`` or ``cuda``.
        progress: takes a mapping such as ``{"step": 10, "steps": 200, "loss": 6.1}``.
        files: modules of plugins that are files or folders: name -> path.
        hidden: raw files that no merge may see.
    """

    config: Mapping[str, Any]
    inputs: Mapping[str, Path]
    out: Path
    work: Path
    seed: int
    threads: int
    device: str
    progress: Callable[[dict[str, Any]], None]
    files: Mapping[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()

    def options(self, role: str) -> CompleteOptions:
        """The options that ``config[role]`` holds, as the plan made them."""
        return CompleteOptions.read(self.config[role])

    def definition(self, role: str) -> Any:
        """A new definition with these options."""
        return self.options(role).definition()

    def interactions(self) -> Interactions:
        """The dataset of the ``data`` input, memory-mapped, with what the ``text`` input holds."""
        data = load_interactions(self.inputs["data"])
        return with_text(data, self.inputs["text"]) if "text" in self.inputs else data

    def split(self) -> Split:
        """The split of the ``split`` input, memory-mapped."""
        return load_split(self.inputs["split"])


def with_text(data: Interactions, folder: Path) -> Interactions:
    """A dataset with its items' vectors or tokens, memory-mapped from a ``text`` cell's folder."""
    if (folder / VECTORS).is_file():
        vectors = np.load(folder / VECTORS, mmap_mode="r")
        return replace(data, catalogue=replace(data.catalogue, vectors=vectors))
    return replace(data, catalogue=replace(data.catalogue, text_tokens=load_tokens(folder)))
