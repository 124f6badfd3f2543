"""BLaIR's weights, from the hub or a folder that holds the same files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recmerge_bench.api import EncoderSpec, HandledError, Spec, hookimpl
from recmerge_bench.toolkit.models.hf_folder import FolderOptions, HfFolder

if TYPE_CHECKING:
    from recmerge_bench.toolkit.data.download import RemoteFile

FILES = ("config.json", "pytorch_model.bin", "vocab.json", "merges.txt", "tokenizer_config.json")


@dataclass(frozen=True)
class Options(FolderOptions):
    """Options of BLaIR.

    Attributes:
        size: ``base`` or ``large``.
    """

    size: Literal["base", "large"] = "base"
    pooling: Literal["first", "mean"] = "first"

    def __post_init__(self) -> None:
        if self.size not in ("base", "large"):
            raise HandledError(f"blair: size is base or large, not {self.size!r}")


class Blair(HfFolder):
    """RoBERTa trained on pairs of reviews and item metadata; the first token's state.

    Its pre-training pairs are of all Amazon categories: no domain of MergeRec's is unseen to it.
    No checksum is known: the first download's is written down and holds from then on.
    """

    Options = Options

    def name(self) -> str:
        """Folder below the data home."""
        return f"blair-{self.options.size}-weights"

    def files(self) -> list[RemoteFile]:
        """The hub's files."""
        from recmerge_bench.toolkit.data.download import RemoteFile

        hub = f"https://huggingface.co/hyp1231/blair-roberta-{self.options.size}/resolve/main/"
        return [RemoteFile(name, hub + name) for name in FILES]

    def sources(self, data_root: Path | None) -> list[Path]:
        """The files in the data home."""
        from recmerge_bench.toolkit.data.download import locate

        return locate(self.files(), self.name(), data_root)

    def fetch(self, data_root: Path | None, mirror: str | None) -> list[Path]:
        """Download the files that are not there."""
        from recmerge_bench.toolkit.data.download import fetch

        return fetch(self.files(), self.name(), data_root, mirror)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """``blair-base-weights`` and ``blair-large-weights``."""
    return [
        EncoderSpec(
            f"blair-{size}-weights", f"{__name__}:Blair",
            f"BLaIR-{size}'s weights: RoBERTa on reviews and metadata, first token",
            options={"size": size}, requires=("transformers",), licence="MIT",
            citation="Hou et al., Bridging language and items (BLaIR), arXiv 2403.03952",
        )
        for size in ("base", "large")
    ]  # fmt: skip
