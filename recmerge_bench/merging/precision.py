"""Precisions of weights: what they are called, and in which of them several models are merged."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from recmerge_bench.errors import HandledError, near

#: What ``--dtype`` takes.
PRECISIONS = {
    "float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}  # fmt: skip
_SHORT = {"fp64": "float64", "fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}


def precision(name: str) -> torch.dtype:
    """The dtype of that name, such as ``bfloat16`` or ``bf16``.

    Raises:
        HandledError: there is none, or models are not merged into it (fp8).
    """
    full = _SHORT.get(name, name)
    if full in PRECISIONS:
        return PRECISIONS[full]
    if "8" in full:
        raise HandledError(
            f"dtype {name}: weights are not merged into 8 bits, whose scales a merge cannot "
            "choose; merge into bfloat16 and quantise that"
        )
    raise HandledError(f"there is no dtype '{name}'{near(name, PRECISIONS)}: "
                       f"{', '.join(PRECISIONS)}")  # fmt: skip


def common(dtypes: Iterable[torch.dtype]) -> torch.dtype:
    """The dtype that holds all values of these (fp32 for bf16 beside fp16)."""
    first, *rest = dtypes
    for dtype in rest:
        first = torch.promote_types(first, dtype)
    return first
