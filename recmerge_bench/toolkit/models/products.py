"""Matrix products in single precision on a CPU, by the faster of torch's two libraries.

torch multiplies float32 matrices by MKL, which on processors other than Intel's uses half as wide
instructions as there are: 50 to 100 GFLOP/s a core where oneDNN's kernels, which torch carries too,
have 100 to 230 (EPYC of 2024, AVX-512). Both accumulate in single precision; they round in another
order. On other devices, for other types and for small matrices torch's own product is taken.

oneDNN compiles a kernel for each shape and keeps up to 1,024 of half a megabyte. Numbers of tokens
differ from batch to batch, so that they are taken in stretches of few sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

#: Multiplications under which finding oneDNN's kernel costs more than it saves.
_LEAST = 1 << 20
#: Tokens of a stretch; what is left after the smallest is multiplied by torch.
_STRETCHES = (1024, 256, 64)


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b.T + bias``, not differentiable.

    Args:
        a: float [N, width], any strides; N may be another in every call.
        b: float [I, width], any strides.
        bias: float [I] or None.

    Returns:
        float [N, I].
    """
    if not by_onednn(a, b):
        return F.linear(a, b, bias)
    b = _dense(b)
    parts = [
        F.linear(a[part], b, bias) if rest else _onednn(a[part], b, bias)
        for part, rest in _stretches(len(a))
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def summed_product(a: Tensor, b: Tensor) -> Tensor:
    """``a.T @ b``, not differentiable; N may be another in every call.

    Args:
        a: float [N, p], any strides.
        b: float [N, q], likewise.

    Returns:
        float [p, q], in either order of strides.
    """
    if not by_onednn(a, b):
        return a.T @ b
    if a.shape[1] > b.shape[1]:  # the kernel copies its first matrix where it is transposed
        return summed_product(b, a).T
    a, b = a.contiguous(), b.contiguous()
    total: Tensor | None = None
    for part, rest in _stretches(len(a)):
        one = a[part].T @ b[part] if rest else _onednn(a[part].T, b[part].T, None)
        total = one if total is None else total.add_(one)
    assert total is not None  # by_onednn asks for many tokens
    return total


def _dense(b: Tensor) -> Tensor:
    """Without room between rows or columns, for which oneDNN has no fast kernel (fifty times)."""
    return b if b.is_contiguous() or b.T.is_contiguous() else b.contiguous()


def _onednn(a: Tensor, b: Tensor, bias: Tensor | None) -> Tensor:
    made: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
    return made


def _stretches(count: int) -> Iterator[tuple[slice, bool]]:
    """Stretches of so many tokens, and whether one is the rest."""
    first = 0
    for size in _STRETCHES:
        for _ in range((count - first) // size):
            yield slice(first, first + size), False
            first += size
    if first < count:
        yield slice(first, count), True


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None, training: bool = True) -> Tensor:
    """`torch.nn.functional.linear`; while training with its gradient once, by `product`.

    Outside training it is torch's own function, which modes can watch (`GramRecorder` does) and
    whose results committed ranks were made with.

    Args:
        x: float [..., width].
        weight: float [I, width].
        bias: float [I] or None.
        training: whether the net trains.

    Returns:
        float [..., I].
    """
    trains = training and torch.is_grad_enabled() and not torch.compiler.is_compiling()
    flat = x.flatten(0, -2) if trains and x.dim() > 1 else x
    if not trains or x.dim() < 2 or not by_onednn(flat, weight):
        return F.linear(x, weight, bias)
    made: Tensor = _Linear.apply(flat, weight, bias)  # type: ignore[no-untyped-call]
    return made.view(*x.shape[:-1], len(weight))


class Linear(nn.Linear):
    """`torch.nn.Linear` that multiplies as `linear` does; its parameters are the same."""

    def forward(self, input: Tensor) -> Tensor:
        """[..., in] to [..., out]."""
        return linear(input, self.weight, self.bias, self.training)


class _Linear(torch.autograd.Function):
    """See `linear`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.biased = bias is not None
        return product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            product(grad, weight.T) if wanted[0] else None,
            summed_product(grad, x) if wanted[1] else None,
            grad.sum(0) if ctx.biased and wanted[2] else None,
        )


def by_onednn(a: Tensor, b: Tensor) -> bool:
    """Whether oneDNN multiplies matrices [N, p] and [I, p], or [N, p] and [N, q]."""
    return (
        a.dtype == b.dtype == torch.float32
        and a.device.type == b.device.type == "cpu"
        and len(a) >= _STRETCHES[-1]
        and a.numel() * (len(b) if a.shape[1] == b.shape[1] else b.shape[1]) >= _LEAST
        and _HAS_IT
        and bool(torch.backends.mkldnn.enabled)
        and not torch.is_autocast_enabled("cpu")
    )


def _has_onednn() -> bool:
    try:
        return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._linear_pointwise)
    except AttributeError:
        return False


_HAS_IT = _has_onednn()
