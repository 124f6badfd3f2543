"""Options that the baselines of the MERIT family share. No torch at import: plugins use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from recmerge_bench.errors import HandledError
from recmerge_bench.specs import Profile

_CHOICES = {
    "positions": ("reverse", "forward"),
    "loss": ("infonce", "bce", "full"),
    "init": ("random", "text"),
}
#: Block -> the options and the training that it was published with.
_PUBLISHED: dict[str, tuple[dict[str, str | int | float], dict[str, float]]] = {
    "sasrec": (
        {"width": 50, "layers": 2, "heads": 1, "loss": "bce", "negatives": 1, "max_len": 50},
        {"lr": 1e-3, "weight_decay": 0.0},
    ),
    "bert4rec": (
        {"positions": "forward", "width": 64, "layers": 2, "heads": 2, "dropout": 0.1,
         "loss": "full", "temperature": 1.0},
        {"lr": 1e-4, "weight_decay": 0.0},
    ),
}  # fmt: skip


def original(block: str, **more: str | int | float) -> Profile:
    """The profile ``original`` of a baseline: its block with the settings of that block's authors.

    Args:
        block: ``sasrec`` (Kang & McAuley, ICDM 2018) or ``bert4rec`` (Sun et al., CIKM 2019).
        more: options of the baseline's own, laid over these.
    """
    options, training = _PUBLISHED[block]
    return Profile({"block": block, **options, **more}, training)


@dataclass(frozen=True)
class FamilyOptions:
    """Options of a next-item model of several domains; the defaults are the profile ``family``.

    Attributes:
        width: width of item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: on embeddings and on every sub-layer's output.
        max_len: number of latest events, of all domains together, that are used.
        block: ``swiglu`` (post-norm attention and SwiGLU, see `FamilyBlock`), ``sasrec`` (as
            SASRec's authors released it) or ``sasrec-prenorm`` (as their paper prints it), as far
            as the model offers it.
        positions: ``reverse`` (the last event is 1, counting into the past) or ``forward``.
        loss: ``infonce`` (over sampled negatives), ``bce`` (the same negatives, SASRec's loss) or
            ``full`` (softmax over all items).
        negatives: sampled negatives of each target domain for each target; not for ``full``.
        temperature: divides the scores in ``infonce`` and ``full``.
        init: item tables ``random`` or from the items' ``text``.
        std: standard deviation of the initial item and position vectors.
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("swiglu", "sasrec", "sasrec-prenorm")

    width: int = 256
    layers: int = 1
    heads: int = 2
    dropout: float = 0.5
    max_len: int = 47
    block: str = "swiglu"
    positions: Literal["reverse", "forward"] = "reverse"
    loss: Literal["infonce", "bce", "full"] = "infonce"
    negatives: int = 128
    temperature: float = 0.75
    init: Literal["random", "text"] = "random"
    std: float = 0.02

    def __post_init__(self) -> None:
        if min(self.width, self.layers, self.heads, self.max_len) < 1 or self.width % self.heads:
            raise HandledError(
                "width, layers, heads and max_len are positive, width a multiple of heads"
            )
        if self.block not in self.BLOCKS:
            raise HandledError(f"block must be one of {', '.join(self.BLOCKS)}: {self.block!r}")
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise HandledError(f"{name} is {' or '.join(known)}: {getattr(self, name)!r}")
        if not 0 <= self.dropout < 1 or self.temperature <= 0:
            raise HandledError("dropout lies in [0, 1), temperature is positive")
        if self.loss != "full" and self.negatives < 1:
            raise HandledError(f"loss {self.loss} needs negatives; without any, use loss: full")


@dataclass(frozen=True)
class ClozeOptions(FamilyOptions):
    """Options of a model that is trained by masking items.

    Attributes:
        block: ``swiglu``, or ``bert4rec`` (post-norm layers with GELU, a projection before the
            item table and a bias for each item; with positions ``forward``).
        mask_ratio: chance of each event to be masked.
        last_share: chance that a sequence masks its last event alone, as at test time.
    """

    BLOCKS: ClassVar[tuple[str, ...]] = ("swiglu", "bert4rec")

    mask_ratio: float = 0.4
    last_share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0 < self.mask_ratio < 1 and 0 < self.last_share <= 1):
            raise HandledError("mask_ratio lies in (0, 1), last_share in (0, 1]")
        if self.block == "bert4rec" and self.positions != "forward":
            raise HandledError("block bert4rec needs positions: forward")
