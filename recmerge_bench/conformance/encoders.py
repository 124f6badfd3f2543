"""What every encoder of item text has to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recmerge_bench.borders.datasets import sources_of
from recmerge_bench.borders.encoders import check_tokens, check_vectors, check_weights
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.devices import some_device
from recmerge_bench.conformance.requirement import Unmet, Untried, requirement
from recmerge_bench.conformance.subject import Subject, as_arrays
from recmerge_bench.definitions import TextEncoder

#: No text, one word, several lines, what is no ASCII, and far more than a model reads.
TEXTS = (
    "", "shoe", "title: red shoe\nbrand: none", "crème brûlée 日本", "a red shoe for running",
    "long " * 600,
)  # fmt: skip
#: Rounding between batches of other shapes.
CLOSE = 1e-4


@dataclass
class EncoderSubject(Subject):
    """An encoder under test.

    Attributes:
        data_root: folder of weights, where it needs one.
    """

    data_root: Path | None = field(default=None, kw_only=True)

    @property
    def gives_tokens(self) -> bool:
        """Whether it is trained further: tokens and weights, in the place of vectors."""
        return type(self.definition).tokens is not TextEncoder.tokens

    def warm(self) -> None:
        """Missing weights are told before anything is measured (`Blocked`)."""
        sources_of(self.definition, self.data_root)

    def vectors(self, texts: tuple[str, ...] = TEXTS, device: str = "cpu") -> np.ndarray:
        """Checked vectors."""
        if self.gives_tokens:
            raise Untried("it gives tokens, no vectors")
        self.warm()
        made = self.definition.encode(texts, self.data_root, device, lambda state: None)
        return check_vectors(self.definition, made, len(texts))

    def outputs(self) -> dict[str, np.ndarray]:
        """Vectors, or tokens and weights."""
        if not self.gives_tokens:
            return {"vectors": self.vectors()}
        self.warm()
        tokens = check_tokens(
            self.definition, self.definition.tokens(TEXTS, self.data_root), len(TEXTS)
        )
        weights = check_weights(self.definition, "weights", self.definition.weights(self.data_root))
        return {"ids": tokens.ids, "kinds": tokens.kinds, "offsets": tokens.offsets,
                **as_arrays(weights)}  # fmt: skip


@requirement(
    "shapes",
    "finite float32 vectors [texts, width] (or tokens and weights), for empty and very long texts",
    why="every item has a text, some have none, and a NaN is in every score after it",
    remedy="give an empty text a vector of its own, cut long ones; astype(np.float32)",
)
def shapes(subject: EncoderSubject) -> None:
    """By the checks that a run makes."""
    subject.first()


@requirement(
    "batch-invariance",
    "a text's vector depends on no other text",
    why="vectors are made once for a catalogue and used with any part of it",
    remedy="mask padding in attention and pooling; no statistics over the batch",
)
def batch_invariance(subject: EncoderSubject) -> None:
    """Together, in reverse order, and one by one."""
    together = subject.vectors()
    back = subject.vectors(TEXTS[::-1])[::-1]
    alone = np.concatenate([subject.vectors((text,)) for text in TEXTS])
    for other, how in ((back, "in reverse order"), (alone, "alone")):
        if not np.allclose(together, other, atol=CLOSE):
            away = np.abs(together - other).max()
            raise Unmet(f"vectors {how} differ from those together by {away:.3g}")


@requirement(
    "quality",
    "texts that share words are nearer than texts that share none",
    why="all that a text model knows of an item is its vector",
    remedy="look at the pooling, and whether the right layer is read",
)
def quality(subject: EncoderSubject) -> None:
    """Cosines of three texts."""
    made = subject.vectors(("a red running shoe", "red shoe for running", "history of mathematics"))
    one, near, far = made / np.linalg.norm(made, axis=1, keepdims=True)
    subject.measured["quality"] = {
        "shared words": round(float(one @ near), 4), "none": round(float(one @ far), 4)
    }  # fmt: skip
    if one @ near <= one @ far:
        raise Unmet(f"cosine {one @ near:.3f} of texts that share words, {one @ far:.3f} of others")


@requirement(
    "devices",
    "on another device it gives what it gives on the CPU",
    why="encoders run where the user has a GPU",
    remedy="move model and inputs to `device`, and vectors back: .cpu().numpy()",
)
def devices(subject: EncoderSubject) -> None:
    """The same texts there."""
    here = subject.vectors()
    with some_device(subject) as device:
        there = subject.vectors(device=device)
    if not np.allclose(here, there, atol=0.01):
        raise Unmet(f"vectors on {device} differ by {np.abs(here - there).max():.3g}")


REQUIREMENTS = (shapes, batch_invariance, quality, devices, *COMMON)

__all__ = ["REQUIREMENTS", "TEXTS", "EncoderSubject"]
