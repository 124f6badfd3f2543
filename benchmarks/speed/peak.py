"""The matrix-product peak of a device, and how many such operations a training step takes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

_ONEDNN = "mkldnn::_linear_pointwise"


def wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_peak(device: torch.device, dtype: torch.dtype, size: int, repeats: int = 20) -> float:
    """Operations a second (of CPU time, on a processor) of the best of some square products.

    Both of torch's libraries are tried on a processor (see `toolkit/models/products.py`).

    Args:
        device: where.
        dtype: of the matrices.
        size: rows and columns.
        repeats: products; the fastest counts.
    """
    from recmerge_bench.toolkit.models.products import product

    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    clock = time.perf_counter if device.type == "cuda" else time.process_time  # others' work apart
    kinds: list[Callable[[], Tensor]] = [lambda: a @ b, lambda: product(a, b)]
    seconds = math.inf
    for one in kinds:
        for _ in range(repeats):
            wait(device)
            start = clock()
            one()
            wait(device)
            seconds = min(seconds, clock() - start)
    return 2 * size**3 / seconds


def counted(work: Callable[[], Any]) -> int:
    """Operations of all matrix products while `work` runs, oneDNN's among them."""
    shapes: list[int] = []

    def linear(x: Any, weight: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        flops = 2 * math.prod(x) * weight[0]
        shapes.append(flops)
        return flops

    operation = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    mapping = {} if operation is None else {operation: linear}
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        work()
    return int(counter.get_total_flops())
