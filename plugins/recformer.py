"""RecFormer: a Longformer over items as attribute names and values, most recent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import Blocked, Catalogue, HandledError, ItemTokens, Spec, hookimpl
from recmerge_bench.nn.hf_folder import FolderOptions, HfFolder
from recmerge_bench.nn.text_backbone import TextBackbone

if TYPE_CHECKING:
    from torch import Tensor, nn

TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class RecFormerOptions:
    """Options of RecFormer.

    Attributes:
        encoder: where the weights come from, a text encoder by name.
        size: ``base`` or ``large``.
        max_tokens: of a user's sequence; the official code has 1024, MergeRec 512.
        max_items: most recent items of a user.
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

    def __post_init__(self) -> None:
        if self.size not in ("base", "large") or self.max_items > 50:
            raise HandledError("recformer: size is base or large, max_items at most 50")


class RecFormerBackbone(TextBackbone):
    """Cosine of ``<s>``'s states."""

    Options = RecFormerOptions

    def build(self, catalogue: Catalogue, domains: Sequence[str], seed: int) -> nn.Module:
        """The architecture; its weights come from the base."""
        from dataclasses import replace

        import torch

        from recmerge_bench.nn.recformer import SIZES, RecFormerEncoder
        from recmerge_bench.nn.towers import TextTower

        size = replace(SIZES[self.options.size], dropout=self.options.dropout)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = RecFormerEncoder(size)
        return TextTower(encoder, catalogue, self.options.max_tokens, self.options.max_items)

    def from_encoder(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All weights of the size, or an error that lists what does not fit."""
        import torch

        from recmerge_bench.nn.recformer import SIZES, RecFormer, load_released

        with torch.device("meta"):
            net = RecFormer(SIZES[self.options.size])
        net = net.to_empty(device="cpu")
        load_released(net, weights, f"the {self.options.encoder} file")
        return {f"encoder.net.{n}": t for n, t in net.state_dict().items()}


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

    def sources(self, data_root: Path | None) -> list[Path]:
        """One weight file and the tokenizer.

        Raises:
            Blocked: a file is missing.
        """
        from recmerge_bench.data.download import data_home

        folder = data_home(data_root) / self.options.name
        found = sorted(p for p in folder.glob("*") if p.suffix in (".safetensors", ".bin", ".pt"))
        missing = [name for name in TOKENIZER if not (folder / name).is_file()]
        if len(found) != 1 or missing:
            raise Blocked(
                f"RecFormer's weights are not in {folder}",
                "put there the checkpoint linked by the RecFormer or MergeRec repository (one "
                ".bin or .safetensors file) and RoBERTa's " + " and ".join(TOKENIZER),
            )
        return [found[0], *(folder / name for name in TOKENIZER)]

    def tokens(self, texts: Sequence[str], data_root: Path | None) -> ItemTokens:
        """Names and values one after the other, nothing between them and no end mark."""
        from recmerge_bench.nn.hf import attribute_tokens

        folder = self.weight_file(data_root).parent
        return attribute_tokens(folder, texts, self.options.attribute)

    def weights(self, data_root: Path | None) -> dict[str, Tensor]:
        """The file's tensors as they are: `load_released` knows their names."""
        from recmerge_bench.nn.hf import plain_tensors

        return plain_tensors(self.checked_file(data_root))


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """The backbones and where their weights come from."""
    citation = "Li et al., Text is all you need (RecFormer), KDD 2023"
    return [
        *(
            Spec(
                "backbone", f"recformer-{size}", f"{__name__}:RecFormerBackbone",
                f"RecFormer-{size}, fine-tuned with in-batch negatives",
                options={"size": size, "encoder": f"recformer-{size}-weights"},
                requires=("transformers",), fidelity="code-verified", citation=citation,
            )
            for size in ("base", "large")
        ),
        *(
            Spec(
                "encoder", f"recformer-{size}-weights", f"{__name__}:RecFormerWeights",
                f"RecFormer-{size}'s weights, from a file that the user has",
                options={"name": f"recformer-{size}-weights"}, requires=("transformers",),
                licence="none stated", citation=citation,
            )
            for size in ("base", "large")
        ),
    ]  # fmt: skip
