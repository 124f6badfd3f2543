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


def check_vectors(encoder: TextEncoder, found: Any, texts: int) -> np.ndarray:
    """Finite vectors float32 [texts, width].

    Raises:
        PluginError: they are not.
    """
    fault = partial(wrong, encoder, "encode")
    vectors = check_array(fault, "vectors", found, np.float32, (texts, None))
    if not vectors.shape[1] or not np.isfinite(vectors).all():
        raise fault("gave NaN, infinite or empty vectors")
    return vectors


def check_tokens(encoder: TextEncoder, found: Any, texts: int) -> ItemTokens:
    """Tokens of so many texts.

    Raises:
        PluginError: they are not what `ItemTokens` says.
    """
    fault = partial(wrong, encoder, "tokens")
    if not isinstance(found, ItemTokens):
        raise fault(f"gave {type(found).__name__}; it gives ItemTokens")
    ids = check_array(fault, "ids", found.ids, np.int32, (None,))
    kinds = check_array(fault, "kinds", found.kinds, np.int8, (len(ids),))
    check_offsets(fault, "offsets", found.offsets, texts, len(ids))
    check_range(fault, "ids", ids, 1 << 31)
    check_range(fault, "kinds", kinds, 3, 1)
    if found.words is not None:
        words = check_array(fault, "words", found.words, np.uint8, (len(ids),))
        check_range(fault, "words", words, 2)
    if not isinstance(found.about, dict):
        raise fault(f"gave {type(found.about).__name__} as about; it gives facts by name")
    return found


def check_weights(
    owner: TextEncoder | Backbone, method: str, found: Any
) -> dict[str, torch.Tensor]:
    """Finite tensors by name.

    Raises:
        PluginError: they are not.
    """
    import torch

    if not isinstance(found, Mapping) or not found:
        raise wrong(owner, method, f"gave {type(found).__name__}; it gives tensors by name")
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise wrong(owner, method, f"gave {name!r} as {type(tensor).__name__}, no tensor")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise wrong(owner, method, f"gave NaN or infinite values in '{name}'")
    return dict(found)
