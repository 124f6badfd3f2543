"""Hugging Face encoders from local folders: tokens of item texts, weights, architecture."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from recmerge_bench.data.interactions import ItemTokens
from recmerge_bench.errors import DataError
from recmerge_bench.toolkit.models.text import key_value

#: What stands between two items of a user's text (MergeRec's released form).
JOINER = "; "


def item_tokens(folder: Path, texts: Sequence[str], limit: int) -> ItemTokens:
    """Tokens of ``key: value`` pieces joined by a space, each value cut to `limit` tokens.

    An item is tokenised by itself and never again: a user's text is its items' tokens with those
    of `JOINER` between them. (Tokenising the joined text gives other tokens at some borders.)

    Args:
        folder: with tokenizer files and ``config.json``.
        texts: an attribute a line.
        limit: tokens of an attribute's value.
    """
    tokenizer = _tokenizer(folder)
    split = [[key_value(line) for line in text.split("\n")] for text in texts]
    pairs = [[(key.strip(), f" {value}") for key, value in lines] for lines in split]
    return _flat(tokenizer, pairs, limit, {
        "first": _known(tokenizer.cls_token_id, tokenizer.bos_token_id),
        "last": _known(tokenizer.sep_token_id, tokenizer.eos_token_id),
        "pad": tokenizer.pad_token_id,
        "joiner": tokenizer(JOINER, add_special_tokens=False)["input_ids"],
        "config": json.loads((folder / "config.json").read_text(encoding="utf-8")),
    })  # fmt: skip


def attribute_tokens(folder: Path, texts: Sequence[str], limit: int) -> ItemTokens:
    """RecFormer's form: names and values tokenised each by itself, nothing between items.

    Args:
        folder: with tokenizer files.
        texts: an attribute a line.
        limit: tokens of an attribute's value (its name is not counted, as in MergeRec).
    """
    tokenizer = _tokenizer(folder)
    split = [[key_value(line) for line in text.split("\n")] for text in texts]
    pairs = [[(key.removesuffix(": "), value) for key, value in lines] for lines in split]
    named = tokenizer.get_vocab()  # RoBERTa's released files do not say which tokens are special
    return _flat(tokenizer, pairs, limit, {
        "first": _known(tokenizer.bos_token_id, tokenizer.cls_token_id, named.get("<s>")),
        "last": None,
        "pad": _known(tokenizer.pad_token_id, named.get("<pad>")),
        "joiner": [],
        "config": {},
    })  # fmt: skip


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def _flat(
    tokenizer: Any, items: list[list[tuple[str, str]]], limit: int, facts: dict[str, Any]
) -> ItemTokens:
    """Every distinct name and value tokenised once, names then values, values cut."""
    known = _ids(tokenizer, {text for pairs in items for pair in pairs for text in pair})
    rows = [[(known[name], known[value][:limit]) for name, value in pairs] for pairs in items]
    parts = [part for row in rows for pair in row for part in pair]  # name, value, name, ...
    sizes = np.array([len(part) for part in parts], np.int64)
    flat_ids = np.fromiter(itertools.chain.from_iterable(parts), np.int32)
    kinds = np.repeat(np.arange(len(parts), dtype=np.int8) % 2 + 1, sizes)
    lengths = [sum(len(name) + len(value) for name, value in row) for row in rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    words = word_starts(tokenizer)[flat_ids]
    # A name or value begins a word, though no mark of a space stands before it.
    words[(np.cumsum(sizes) - sizes)[sizes > 0]] = 1
    return ItemTokens(flat_ids, kinds, offsets, facts | _marks(tokenizer, facts), words)


def _marks(tokenizer: Any, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Which tokens hide and which are no text, and how many there are."""
    mask = _known(tokenizer.mask_token_id, tokenizer.get_vocab().get("<mask>"))
    marks = {facts["first"], facts["last"], facts["pad"], mask} - {None}
    return {
        "mask": mask,
        "specials": sorted({*tokenizer.all_special_ids, *marks}),
        "vocabulary": len(tokenizer),
    }


def _ids(tokenizer: Any, texts: Collection[str]) -> dict[str, list[int]]:
    """Text -> its tokens, without marks around them."""
    strings = sorted(texts)
    if not strings:
        return {}
    ids = tokenizer(strings, add_special_tokens=False, verbose=False)["input_ids"]
    return dict(zip(strings, ids, strict=True))


def word_starts(tokenizer: Any) -> NDArray[np.bool_]:
    """Which tokens of a vocabulary begin a word: uint8 [V].

    Byte-level BPE and Unigram mark a space before a token (``Ġ``, ``▁``), WordPiece marks what
    goes on (``##``). Of other tokenizers each token is a word.

    Args:
        tokenizer: of Hugging Face.
    """
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    model = getattr(getattr(tokenizer, "backend_tokenizer", None), "model", None)
    kind = type(model).__name__
    if kind == "WordPiece":
        inside = str(model.continuing_subword_prefix)  # type: ignore[union-attr]
        marks = [not str(t).startswith(inside) for t in tokens]
    elif kind in ("BPE", "Unigram") and any(str(t).startswith(("Ġ", "▁")) for t in tokens):
        marks = [str(t).startswith(("Ġ", "▁")) for t in tokens]
    else:
        marks = [True] * len(tokens)
    return np.array(marks, np.uint8)


def _known(*values: int | None) -> int | None:
    return next((v for v in values if v is not None), None)


def plain_tensors(file: Path) -> dict[str, Tensor]:
    """A safetensors file's tensors, or those of a ``.bin`` that holds nothing else.

    Raises:
        DataError: not such a file.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if file.suffix == ".safetensors":
        try:
            return load_file(str(file))
        except (SafetensorError, OSError) as error:
            raise DataError(f"not a safetensors file ({error})", file) from None
    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # what a broken or hostile pickle raises has no common base
        raise DataError(f"not a file of plain tensors ({type(error).__name__})", file) from None
    if not isinstance(tensors, dict) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise DataError("not a file of named tensors", file)
    return tensors


def encoder_weights(file: Path) -> dict[str, Tensor]:
    """The encoder's tensors in fp32, without poolers, heads and number buffers.

    Raises:
        DataError: not a file of plain tensors.
    """
    tensors = plain_tensors(file)
    for prefix in ("bert.", "roberta.", "model."):
        if any(n.startswith(prefix) for n in tensors):
            tensors = {
                n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)
            }
    return {
        n: t.float()
        for n, t in tensors.items()
        if t.is_floating_point() and not n.startswith(("pooler.", "lm_head.", "cls."))
    }


def bare_encoder(config: dict[str, Any]) -> Any:
    """The architecture with random weights, without a pooler (which would never be trained)."""
    from transformers import AutoConfig, AutoModel

    settings = {k: v for k, v in config.items() if k not in ("model_type", "transformers_version")}
    made = AutoConfig.for_model(config["model_type"], **settings)
    try:
        return AutoModel.from_config(made, add_pooling_layer=False)
    except TypeError:
        return AutoModel.from_config(made)
