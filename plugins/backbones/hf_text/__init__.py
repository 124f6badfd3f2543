"""Any Hugging Face encoder as user and item tower, with MergeRec's text form and fine-tuning.

Idea: An item is its text: title, brand, category and the like. A pretrained language encoder
turns a user's history, written as text, and each item into vectors. Their cosine is the score, so
that a model serves any domain that has texts.

Equations: MergeRec's fine-tuning: cosines divided by a temperature of 0.05, softmax over the
targets of the batch (tests/toolkit/test_nn_towers.py::test_the_loss_by_hand). The encoder is
transformers' own, on the same text
(tests/toolkit/test_nn_towers.py::test_vectors_are_the_models_on_the_same_text).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import BackboneSpec, Catalogue, HandledError, Spec, hookimpl
from recmerge_bench.toolkit.models.text_backbone import TextBackbone

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class HfTextOptions:
    """Options of hf-text.

    Attributes:
        encoder: a text encoder by name, whose weights are the base.
        pooling: the ``first`` token's state, or the ``mean`` over true tokens.
        max_tokens: most tokens of a user's text, special tokens included.
        max_items: number of most recent items of a user that are used.
        temperature: divides cosines in the loss.
        mask_duplicates: do not count a user's own target as its negative where another user of
            the batch has it too; the released code does count it.
    """

    encoder: str = "minilm"
    pooling: Literal["first", "mean"] = "first"
    max_tokens: int = 512
    max_items: int = 50
    temperature: float = 0.05
    mask_duplicates: bool = False

    def __post_init__(self) -> None:
        if self.pooling not in ("first", "mean") or self.temperature <= 0 or self.max_tokens < 3:
            raise HandledError("hf-text: pooling first or mean, temperature > 0, max_tokens > 2")


class HfText(TextBackbone):
    """Cosine of pooled states; dropout as the encoder's configuration has it."""

    Options = HfTextOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """The architecture; its weights come from the base."""
        import torch
        from recmerge_bench_plugins.backbones.hf_text.encoder import HfEncoder

        from recmerge_bench.toolkit.models.towers import TextTower

        if catalogue.text_tokens is None:
            raise HandledError("hf-text was given items without tokens")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = HfEncoder(catalogue.text_tokens.about["config"], self.options.pooling)
        return TextTower(encoder, catalogue, self.options.max_tokens, self.options.max_items)

    def from_encoder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder's names below ``encoder.net.``."""
        return {f"encoder.net.{n}": t for n, t in weights.items()}


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``hf-text``, and presets of it."""
    presets = {
        "hf-text": ("any Hugging Face encoder", {}),
        "minilm-text": ("all-MiniLM-L6-v2, mean pooling", {"encoder": "minilm", "pooling": "mean"}),
        "blair-base": ("BLaIR-base, first token", {"encoder": "blair-base-weights"}),
        "blair-large": ("BLaIR-large, first token", {"encoder": "blair-large-weights"}),
    }
    return [
        BackboneSpec(
            name, f"{__name__}:HfText",
            f"{what}, as user and item tower, fine-tuned with in-batch negatives",
            options=options, requires=("transformers",), fidelity="paper-equations",
            citation="MergeRec, KDD 2026; Hou et al., BLaIR (arXiv 2403.03952)",
        )
        for name, (what, options) in presets.items()
    ]  # fmt: skip
