"""Text encoders: vectors, tokens and weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from recmerge_bench.blame import wrong
from recmerge_bench.borders.arrays import check_array, check_offsets, check_range
from recmerge_bench.data.interactions import ItemTokens
from recmerge_bench.definitions import Backbone, TextEncoder

if TYPE_CHECKING:
    import torch


def check_vectors(encoder: TextEncoder, values: Any, texts: int) -> np.ndarray:
    """Finite vectors float32 [texts, width].

    Raises:
        PluginError: they are not.
    """
    fault = partial(wrong, encoder, "encode")
    vectors = check_array(fault, "vectors", values, np.float32, (texts, None))
    if not vectors.shape[1] or not np.isfinite(vectors).all():
        raise fault("gave NaN, infinite or empty vectors")
    return vectors


def check_tokens(encoder: TextEncoder, tokens: Any, texts: int) -> ItemTokens:
    """Tokens of so many texts.

    Raises:
        PluginError: they are not what `ItemTokens` says.
    """
    fault = partial(wrong, encoder, "tokens")
    if not isinstance(tokens, ItemTokens):
        raise fault(f"gave {type(tokens).__name__}; it gives ItemTokens")
    ids = check_array(fault, "ids", tokens.ids, np.int32, (None,))
    kinds = check_array(fault, "kinds", tokens.kinds, np.int8, (len(ids),))
    check_offsets(fault, "offsets", tokens.offsets, texts, len(ids))
    check_range(fault, "ids", ids, 1 << 31)
    check_range(fault, "kinds", kinds, 3, 1)
    if tokens.words is not None:
        words = check_array(fault, "words", tokens.words, np.uint8, (len(ids),))
        check_range(fault, "words", words, 2)
    if not isinstance(tokens.about, dict):
        raise fault(f"gave {type(tokens.about).__name__} as about; it gives facts by name")
    return tokens


def check_weights(
    owner: TextEncoder | Backbone, method: str, tensors: Any
) -> dict[str, torch.Tensor]:
    """Finite tensors by name.

    Raises:
        PluginError: they are not.
    """
    import torch

    if not isinstance(tensors, Mapping) or not tensors:
        raise wrong(owner, method, f"gave {type(tensors).__name__}; it gives tensors by name")
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise wrong(owner, method, f"gave {name!r} as {type(tensor).__name__}, no tensor")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise wrong(owner, method, f"gave NaN or infinite values in '{name}'")
    return dict(tensors)
