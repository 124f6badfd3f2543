"""To how many bits matrix products of fp32 are computed on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def products(tf32: bool = False) -> Iterator[None]:
    """Within it products of fp32 are whole or rounded to TF32, afterwards as before.

    torch has two switches: of products, and of cuDNN's (recurrent layers), which is on unless it
    is turned off. Processors know no TF32.

    Args:
        tf32: whether factors are rounded to 10 bits of mantissa.
    """
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    cudnn.allow_tf32 = tf32
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32 = before[1]


__all__ = ["products"]
