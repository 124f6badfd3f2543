"""Text encoders that lie in a folder of Hugging Face's form. No torch at import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recmerge_bench.data.interactions import ItemTokens
from recmerge_bench.definitions import TextEncoder
from recmerge_bench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FolderOptions:
    """Options of an encoder in a folder.

    Attributes:
        attribute: tokens of an attribute's value.
        limit: tokens of an item's text, where it is encoded frozen.
        pooling: of frozen vectors: the ``first`` token's state, or the ``mean``.
    """

    attribute: int = 32
    limit: int = 128
    pooling: Literal["first", "mean"] = "mean"


class HfFolder(TextEncoder):
    """``config.json``, tokenizer files and a weight file."""

    Options = FolderOptions
    #: SHA-256 that the weight file must have, where it is known.
    weights_sha256: ClassVar[str | None] = None

    def weight_file(self, data_root: Path | None) -> Path:
        """The weights among `sources`; the other files lie beside it."""
        return next(
            f for f in self.sources(data_root) if f.suffix in (".safetensors", ".bin", ".pt")
        )

    def checked_file(self, data_root: Path | None) -> Path:
        """The weight file, if it is the known one.

        Raises:
            DataError: it is not.
        """
        from recmerge_bench.digests import file_digest

        file = self.weight_file(data_root)
        if self.weights_sha256 is not None and file_digest(file) != self.weights_sha256:
            raise DataError(f"not the known weights (SHA-256 {self.weights_sha256})", file)
        return file

    def tokens(self, texts: Sequence[str], data_root: Path | None) -> ItemTokens:
        """See `TextEncoder.tokens`."""
        from recmerge_bench.toolkit.models.hf import item_tokens

        return item_tokens(self.weight_file(data_root).parent, texts, self.options.attribute)

    def weights(self, data_root: Path | None) -> dict[str, torch.Tensor]:
        """See `TextEncoder.weights`."""
        from recmerge_bench.toolkit.models.hf import encoder_weights

        return encoder_weights(self.checked_file(data_root))

    def encode(
        self,
        texts: Sequence[str],
        data_root: Path | None,
        device: str,
        progress: Callable[[dict[str, Any]], None],
    ) -> NDArray[np.float32]:
        """Pooled states of length one; see `TextEncoder.encode`."""
        import json

        from torch.nn import functional as F

        from recmerge_bench.toolkit.models.hf import bare_encoder
        from recmerge_bench.toolkit.models.text import encode_all, mean_pooled, tokenize
        from recmerge_bench.toolkit.models.towers import first_state

        folder = self.weight_file(data_root).parent
        ragged, pad = tokenize(folder, texts, self.options.attribute, self.options.limit)
        net = bare_encoder(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        net.load_state_dict(self.weights(data_root))
        net = net.to(device).eval()
        pool = mean_pooled if self.options.pooling == "mean" else first_state

        def vectors(tokens: Any, real: Any) -> Any:
            states = net(input_ids=tokens, attention_mask=real.long()).last_hidden_state
            return F.normalize(pool(states, real), dim=-1)

        return encode_all(vectors, ragged, pad, net.config.hidden_size, device, progress)
