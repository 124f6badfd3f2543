"""Bags of hashed words under a fixed projection: a text encoder without weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import EncoderSpec, Spec, TextEncoder, hookimpl

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Options:
    """Options of hashed-words.

    Attributes:
        width: of the vectors.
    """

    width: int = 256


class HashedWords(TextEncoder):
    """Signed word counts in hashed buckets, projected and scaled to length one."""

    Options = Options

    def encode(
        self,
        texts: Sequence[str],
        data_root: Path | None,
        device: str,
        progress: Callable[[dict[str, Any]], None],
    ) -> np.ndarray:
        """Vectors of the words alone; texts without a word share one."""
        import numpy as np

        from recmerge_bench.toolkit.models.text_init import hashed_vectors

        vectors = hashed_vectors(texts, [""] * len(texts), self.options.width)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``hashed-words``."""
    return [
        EncoderSpec(
            "hashed-words", f"{__name__}:HashedWords",
            "bags of hashed words under a fixed projection, no weights",
            citation="Weinberger et al., Feature hashing, ICML 2009",
        )
    ]  # fmt: skip
