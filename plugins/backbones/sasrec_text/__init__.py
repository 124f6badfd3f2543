"""SASRec over frozen text vectors: no id table, so that the whole model merges across domains.

Idea: Item tables belong to a domain and cannot be merged; text vectors can be shared. SASRec
reads frozen vectors of a text encoder through one learned projection. Every weight of the model
then means the same in each domain and can be merged.

A design of this project, after UniSRec's idea (KDD 2022; its own encoder is RecBole's post-norm
SASRec, fed by a mixture of whitened projections): item vectors of a frozen encoder, one projection
and norm, then the encoder of `sasrec`: its authors' released block, positions counted from the end.
``sasrec-text-prenorm`` has that of ``sasrec-prenorm``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    Backbone,
    BackboneSpec,
    Batch,
    Catalogue,
    Check,
    HandledError,
    Spec,
    hookimpl,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``sasrec-text`` and ``sasrec-text-prenorm``."""
    blocks = {
        "sasrec-text": ("SASRecText", "SASRec's released block"),
        "sasrec-text-prenorm": ("SASRecTextPreNorm", "pre-norm self-attention"),
    }
    return [
        BackboneSpec(
            name, f"{__name__}:{target}",
            f"{what} over projected vectors of a frozen text encoder",
            fidelity="own",
            checks=(
                Check(
                    "its encoder is that of sasrec or sasrec-prenorm, tensor for tensor",
                    "tests/plugins/test_sasrec.py::test_text_models_have_the_same_encoders",
                    "to the last bit",
                ),
            ),
            citation="after Kang & McAuley, ICDM 2018, and Hou et al., UniSRec, KDD 2022",
        )
        for name, (target, what) in blocks.items()
    ]  # fmt: skip


@dataclass(frozen=True)
class SASRecTextOptions:
    """Options of sasrec-text.

    Attributes:
        encoder: a text encoder by name.
        width: width of projected item vectors and layers.
        layers: number of blocks.
        heads: number of attention heads.
        dropout: as `SASRecOptions` has it.
        max_len: number of latest events that are used.
        temperature: divides the cosines in the softmax.
        negatives: items drawn for a batch and shared by its positions, beside the batch's own
            targets; 0: all items of the batch's domains.
        std: standard deviation of the initial position vectors (``sasrec-text``: times
            sqrt(width)).
        whiten: whether item vectors are whitened over the catalogue before they are projected.
    """

    encoder: str = "minilm"
    width: int = 64
    layers: int = 2
    heads: int = 2
    dropout: float = 0.2
    max_len: int = 50
    temperature: float = 0.05
    negatives: int = 0
    std: float = 0.02
    whiten: bool = False

    def __post_init__(self) -> None:
        if self.temperature <= 0 or self.negatives < 0:
            raise HandledError("sasrec-text: temperature > 0 and negatives >= 0, please")


class SASRecText(Backbone):
    """Score: cosine of user state and projected item; loss: softmax over cosines / temperature."""

    Options = SASRecTextOptions
    block: ClassVar[Literal["sasrec", "sasrec-prenorm"]] = "sasrec"
    policy: ClassVar[Mapping[str, str]] = {}

    def text_encoder(self) -> str | None:
        """As the options say."""
        return str(self.options.encoder)

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """See `Backbone.build`; the same initial weights whichever domains are served."""
        from recmerge_bench_plugins.backbones.sasrec_text.net import TextNet

        o = self.options
        return TextNet(
            catalogue,
            domains,
            seed,
            block=self.block,
            width=o.width,
            layers=o.layers,
            heads=o.heads,
            dropout=o.dropout,
            max_len=o.max_len,
            std=o.std,
            whiten=o.whiten,
        )

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """Mean over all positions of the batch."""
        import torch
        from torch.nn import functional as F

        from recmerge_bench.toolkit.models import losses

        keep = losses.valid_tokens(batch.lengths, batch.items.shape[1])
        targets = batch.targets.flatten()[keep]
        if self.options.negatives:
            drawn = net.frozen.draw(batch.scope, self.options.negatives, batch.generator)
            rivals, goal = torch.unique(torch.cat([targets, drawn]), return_inverse=True)
            table, goal = net.project(rivals), goal[: len(targets)]
            hidden = net(batch.items, batch.lengths)
        else:
            table, goal = net.scope_table(batch.scope), net.frozen.scope_rows(targets, batch.scope)
            first = net.frozen.scope_rows(batch.items, batch.scope)
            hidden = net(batch.items, batch.lengths, projected=F.embedding(first, table))
        value = losses.full_cross_entropy(
            F.normalize(hidden.flatten(0, 1)[keep], dim=-1), F.normalize(table, dim=-1), goal,
            temperature=self.options.temperature,
        )  # fmt: skip
        return value, len(keep)

    def encode(self, net: Any, histories: Tensor, lengths: Tensor, domain: str) -> Tensor:
        """State after the last event, of length one."""
        from torch.nn import functional as F

        return F.normalize(net(histories, lengths, last_only=True), dim=-1)

    def items(self, net: Any, domain: str) -> tuple[Tensor, Tensor | None]:
        """The domain's projected vectors, of length one; no bias."""
        from torch.nn import functional as F

        return F.normalize(net.scope_table((domain,)), dim=-1), None

    def max_history(self) -> int:
        """`max_len`."""
        return int(self.options.max_len)


class SASRecTextPreNorm(SASRecText):
    """The same with pre-norm blocks and positions counted from the start."""

    block = "sasrec-prenorm"
