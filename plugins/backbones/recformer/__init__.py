"""RecFormer: a Longformer over items as attribute names and values, most recent first.

Idea: An item is a list of attributes with values, and a user a list of items. A Longformer reads
the whole history as one long text, the most recent item first. User and item vectors come from
the same net and are compared by cosine.

Equations: the released encoder, a Longformer with four embeddings (words, positions, token types,
item positions). Outputs of the authors' code at a small size
(tests/plugins/test_nn_recformer.py::test_the_released_models_outputs; 1e-5). The loss is the
softmax over cosines divided by 0.05 (tests/toolkit/test_nn_towers.py::test_the_loss_by_hand).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.api import (
    BackboneSpec,
    Blocked,
    Catalogue,
    EncoderSpec,
    HandledError,
    ItemTokens,
    Spec,
    hookimpl,
)
from recmerge_bench.toolkit.models.hf_folder import FolderOptions, HfFolder
from recmerge_bench.toolkit.models.text_backbone import TextBackbone

if TYPE_CHECKING:
    from recmerge_bench_plugins.backbones.recformer.encoder import Size
    from torch import Tensor, nn

    from recmerge_bench.api import Batch

TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class RecFormerOptions:
    """Options of RecFormer.

    Pre-training is an objective of its own, for a track's base (``base: {..., options:
    {objective: pretraining}}``). Its authors' settings are, as options of this model, ``max_tokens:
    1024``, and of its training ``lr: 5e-5, epochs: 32, batch_size: 64, accumulate: 8, clip: 1.0``
    (theirs is 16 on each of 4 GPUs, whose negatives are shared).

    Attributes:
        encoder: where tokens and weights come from, a text encoder by name.
        objective: ``fine-tuning``: a window's last event from all before it, negatives from the
            batch; ``pretraining``: an event of a window's later half from those before it, and
            hidden words of both, with a head that no expert takes over.
        start: what the encoder's weights are: ``recformer``; a ``language-model``'s (Longformer),
            whose one token type becomes all four while item positions are random; ``random``: the
            encoder gives tokens alone.
        word_weight: weight of the loss of masked words, while pre-training.
        word_share: share of a text's words that are masked, while pre-training.
        freeze_words: pre-training leaves the word embeddings as they are. To be turned off where
            they start at random.
        size: ``base`` or ``large``.
        max_tokens: most tokens of a user's sequence; the official code has 1024, MergeRec 512.
        max_items: number of most recent items of a user that are used.
        temperature: divides cosines in the loss.
        mask_duplicates: see hf-text.
        dropout: on embeddings and sub-layers' outputs while training.
    """

    encoder: str = "recformer-base-weights"
    size: Literal["base", "large"] = "base"
    max_tokens: int = 512
    max_items: int = 50
    temperature: float = 0.05
    mask_duplicates: bool = False
    dropout: float = 0.1
    objective: Literal["fine-tuning", "pretraining"] = "fine-tuning"
    start: Literal["recformer", "language-model", "random"] = "recformer"
    word_weight: float = 0.1
    word_share: float = 0.15
    freeze_words: bool = True

    def __post_init__(self) -> None:
        if self.size not in ("base", "large") or self.max_items > 50:
            raise HandledError("recformer: size is base or large, max_items at most 50")
        if self.objective not in ("fine-tuning", "pretraining"):
            raise HandledError("recformer: objective is fine-tuning or pretraining")
        if self.start not in ("recformer", "language-model", "random"):
            raise HandledError("recformer: start is recformer, language-model or random")
        if not 0 < self.word_share < 1 or self.word_weight < 0:
            raise HandledError("recformer: word_share lies in (0, 1), word_weight is not negative")


class RecFormerBackbone(TextBackbone):
    """Cosine of ``<s>``'s states."""

    Options = RecFormerOptions
    policy: ClassVar[Mapping[str, str]] = {"lm_head.": "drop"}

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """The architecture; its weights come from the base, but for a random start.

        Raises:
            HandledError: items without tokens, tokens of a larger vocabulary, or ``max_tokens``
                beyond the position table.
        """
        import torch
        from recmerge_bench_plugins.backbones.recformer.encoder import RecFormerEncoder
        from recmerge_bench_plugins.backbones.recformer.pretraining import (
            PretrainingTower,
            draw_weights,
            frozen_words,
        )

        from recmerge_bench.toolkit.models.towers import TextTower

        o, size = self.options, self.shape()
        if o.max_tokens > size.positions - 2:
            raise HandledError(
                f"recformer-{o.size} has positions for {size.positions - 2} tokens: max_tokens "
                f"{o.max_tokens} is more"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = RecFormerEncoder(size)
            pretraining = o.objective == "pretraining"
            tower = PretrainingTower if pretraining else TextTower
            net: Any = tower(encoder, catalogue, o.max_tokens, o.max_items)
        known = int(net.tokens.about.get("vocabulary", 0))
        if known > size.vocabulary:
            raise HandledError(
                f"recformer-{o.size} knows {size.vocabulary} tokens, the tokenizer of "
                f"'{o.encoder}' has {known}: use RoBERTa's"
            )
        generator = torch.Generator().manual_seed(seed)
        if o.start == "random":
            draw_weights(net, generator)
        elif pretraining:
            draw_weights(net.lm_head, generator)
        if pretraining and o.freeze_words:
            frozen_words(encoder)
        return net  # type: ignore[no-any-return]

    def shape(self) -> Size:
        """The encoder's sizes."""
        from dataclasses import replace

        from recmerge_bench_plugins.backbones.recformer.encoder import SIZES

        return replace(SIZES[self.options.size], dropout=self.options.dropout)

    def starts_from_encoder(self) -> bool:
        """Not where weights are drawn."""
        return bool(self.options.start != "random")

    def from_encoder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All weights of the size, or an error that lists what does not fit."""
        import torch
        from recmerge_bench_plugins.backbones.recformer.encoder import RecFormer, load_released
        from recmerge_bench_plugins.backbones.recformer.pretraining import from_language_model

        o, origin = self.options, f"the {self.options.encoder} file"
        if o.start == "language-model":
            head = o.objective == "pretraining"
            return from_language_model(self.shape(), weights, head, origin)
        with torch.device("meta"):
            net = RecFormer(self.shape())
        net = net.to_empty(device="cpu")
        load_released(net, weights, origin)
        return {f"encoder.net.{n}": t for n, t in net.state_dict().items()}

    def loss(self, net: Any, batch: Batch) -> tuple[Tensor, int]:
        """One target a window, as the objective says."""
        from recmerge_bench_plugins.backbones.recformer.pretraining import pretraining_losses

        o = self.options
        if o.objective == "fine-tuning":
            return super().loss(net, batch)
        contrast, words = pretraining_losses(
            net, batch, o.temperature, o.mask_duplicates, o.word_share
        )
        return contrast + o.word_weight * words, len(batch.lengths)


@dataclass(frozen=True)
class WeightOptions(FolderOptions):
    """Options of RecFormer's weights.

    Attributes:
        name: folder below the data home.
    """

    name: str = "recformer-base-weights"


class RecFormerWeights(HfFolder):
    """A checkpoint that the user has put into the data home, with the tokenizer's files.

    The authors host theirs on a drive that no program may read; MergeRec's authors host a large
    one. The tokenizer is RoBERTa's (``tokenizer.json``).
    """

    Options = WeightOptions
    #: What is looked for, and where a user finds it.
    what: ClassVar[str] = "RecFormer's weights are"
    whence: ClassVar[str] = (
        "the checkpoint linked by the RecFormer or MergeRec repository (one .bin or .safetensors "
        "file) and RoBERTa's "
    )
    n_weights: ClassVar[int] = 1

    def sources(self, data_root: Path | None) -> list[Path]:
        """The weight file, where there is one, and the tokenizer.

        Raises:
            Blocked: a file is missing.
        """
        from recmerge_bench.toolkit.data.download import dataset_folder

        folder = dataset_folder(data_root, self.options.name)
        weights = sorted(p for p in folder.glob("*") if p.suffix in (".safetensors", ".bin", ".pt"))
        weights = weights if self.n_weights else []
        missing = [name for name in TOKENIZER if not (folder / name).is_file()]
        if len(weights) != self.n_weights or missing:
            raise Blocked(
                f"{self.what} not in {folder}",
                f"put there {self.whence}" + " and ".join(TOKENIZER),
            )
        return [*weights, *(folder / name for name in TOKENIZER)]

    def tokens(self, texts: Sequence[str], data_root: Path | None) -> ItemTokens:
        """Names and values one after the other, nothing between them and no end mark."""
        from recmerge_bench.toolkit.models.hf import attribute_tokens

        folder = self.sources(data_root)[-1].parent
        return attribute_tokens(folder, texts, self.options.attribute)

    def weights(self, data_root: Path | None) -> dict[str, Tensor]:
        """The file's tensors as they are: `load_released` knows their names."""
        from recmerge_bench.toolkit.models.hf import plain_tensors

        return plain_tensors(self.checked_file(data_root))


class LongformerWeights(RecFormerWeights):
    """A Longformer language model's, which RecFormer's pre-training starts from."""

    what = "Longformer's weights are"
    whence = (
        "the weights of the language model allenai/longformer-base-4096 or -large-4096 (one .bin "
        "or .safetensors file) and its "
    )


class TokenizerAlone(RecFormerWeights):
    """A tokenizer without weights, for random starts."""

    what = "RoBERTa's tokenizer is"
    whence = "its "
    n_weights = 0

    def weights(self, data_root: Path | None) -> dict[str, Tensor]:
        """There are none.

        Raises:
            HandledError: always.
        """
        raise HandledError("recformer-tokenizer has no weights: it is for `start: random`")


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """The backbones and where their weights come from."""
    citation = "Li et al., Text is all you need (RecFormer), KDD 2023"
    return [
        *(
            BackboneSpec(
                f"recformer-{size}", f"{__name__}:RecFormerBackbone",
                f"RecFormer-{size}, fine-tuned with in-batch negatives",
                options={"size": size, "encoder": f"recformer-{size}-weights"},
                requires=("transformers",), fidelity="code-verified", citation=citation,
            )
            for size in ("base", "large")
        ),
        *(
            EncoderSpec(
                f"recformer-{size}-weights", f"{__name__}:RecFormerWeights",
                f"RecFormer-{size}'s weights, from a file that the user has",
                options={"name": f"recformer-{size}-weights"}, requires=("transformers",),
                licence="none stated", citation=citation,
            )
            for size in ("base", "large")
        ),
        *(
            EncoderSpec(
                f"longformer-{size}-weights", f"{__name__}:LongformerWeights",
                f"Longformer-{size}'s weights, to pre-train RecFormer from, from the user's file",
                options={"name": f"longformer-{size}-weights"}, requires=("transformers",),
                citation="Beltagy et al., Longformer (arXiv 2004.05150)",
            )
            for size in ("base", "large")
        ),
        EncoderSpec(
            "recformer-tokenizer", f"{__name__}:TokenizerAlone",
            "RoBERTa's tokenizer by itself, to pre-train RecFormer from random weights",
            options={"name": "recformer-tokenizer"}, requires=("transformers",), citation=citation,
        ),
    ]  # fmt: skip
