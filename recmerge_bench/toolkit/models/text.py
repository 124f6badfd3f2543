"""Item text as tokens: cut by attribute, tokenised once, encoded in batches of equal length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Ragged:
    """Token sequences as one flat array.

    Attributes:
        tokens: int32 [T].
        offsets: int64 [N + 1], sequence n is ``tokens[offsets[n]:offsets[n + 1]]``.
    """

    tokens: NDArray[np.integer[Any]]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> Ragged:
        """Flatten."""
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        flat = np.fromiter((t for s in sequences for t in s), np.int32, int(lengths.sum()))
        return cls(flat, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """int64 [N]."""
        return np.diff(self.offsets)

    def padded(self, rows: NDArray[np.integer[Any]], pad: int) -> tuple[Tensor, Tensor]:
        """Some sequences as (tokens int64 [B, L], true positions bool [B, L]), right-padded."""
        lengths = self.lengths[rows]
        size = int(lengths.max()) if len(rows) else 0
        places = np.arange(size)
        real = places < lengths[:, None]
        index = np.minimum(self.offsets[rows][:, None] + places, max(len(self.tokens) - 1, 0))
        tokens = np.where(real, self.tokens[index], pad)
        return torch.from_numpy(tokens.astype(np.int64)), torch.from_numpy(real)


def truncate_attributes(tokenizer: Any, texts: Sequence[str], limit: int) -> list[str]:
    """Item texts with each attribute's value cut to `limit` tokens, joined by a space.

    As MergeRec's released code makes them: the value alone is tokenised, cut and put back to text;
    ``key: `` stands before it. A line without ``key: `` is a value by itself.

    Args:
        tokenizer: of Hugging Face.
        texts: an attribute a line.
        limit: tokens of a value.
    """
    split = [[key_value(line) for line in text.split("\n")] for text in texts]
    values = list(dict.fromkeys(value for lines in split for _, value in lines))
    tokens = (
        tokenizer(values, add_special_tokens=False, verbose=False)["input_ids"] if values else []
    )
    short = {
        value: tokenizer.decode(ids[:limit]) if len(ids) > limit else value
        for value, ids in zip(values, tokens, strict=True)
    }
    return [" ".join(f"{key}{short[value]}" for key, value in lines) for lines in split]


def key_value(line: str) -> tuple[str, str]:
    """``("title: ", "...")`` of a line; a line without a key is a value by itself."""
    key, sign, value = line.partition(": ")
    return (f"{key}: ", value) if sign and key.isidentifier() else ("", line)


def tokenize(folder: Path, texts: Sequence[str], attribute: int, limit: int) -> tuple[Ragged, int]:
    """Tokens of item texts, specials included, and the padding token.

    Args:
        folder: with a Hugging Face tokenizer's files.
        texts: an attribute a line.
        attribute: tokens of an attribute's value.
        limit: tokens of a text.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    whole = truncate_attributes(tokenizer, texts, attribute)
    ids = tokenizer(whole, truncation=True, max_length=limit)["input_ids"]
    return Ragged.of(ids), int(tokenizer.pad_token_id)


def token_batches(lengths: NDArray[np.int64], budget: int) -> Iterator[NDArray[np.int64]]:
    """Rows by falling length, in batches of at most `budget` padded tokens (at least one row)."""
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        size = max(1, budget // max(1, int(lengths[order[first]])))
        yield order[first : first + size]
        first += size


def mean_pooled(states: Tensor, real: Tensor) -> Tensor:
    """Mean over true positions: states [B, L, width], real bool [B, L] to [B, width]."""
    weight = real[..., None].to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1).clamp_min(1.0)


def encode_all(
    model: Callable[[Tensor, Tensor], Tensor],
    texts: Ragged,
    pad: int,
    width: int,
    device: str,
    progress: Callable[[dict[str, Any]], None],
    budget: int = 8192,
) -> NDArray[np.float32]:
    """Vectors of all sequences: float32 [N, width].

    Args:
        model: (tokens int64 [B, L], true positions bool [B, L]) to vectors [B, width].
        texts: the tokens.
        pad: the padding token.
        width: of the vectors.
        device: where the model is.
        progress: told after each batch.
        budget: padded tokens of a batch.
    """
    out = np.empty((len(texts), width), np.float32)
    batches = list(token_batches(texts.lengths, budget))
    with torch.inference_mode():
        for number, rows in enumerate(batches, 1):
            tokens, real = texts.padded(rows, pad)
            out[rows] = model(tokens.to(device), real.to(device)).float().cpu().numpy()
            progress({"step": number, "steps": len(batches)})
    return out
