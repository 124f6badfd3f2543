"""Parts of models written out vector by vector, and how a net is compared with such a model.

Nothing of the package's models is called here. Float64 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
Keys = Sequence[Tensor]


def linear(w: Weights, name: str, x: Tensor) -> Tensor:
    """``W x + b``, the bias where there is one."""
    bias = w.get(f"{name}.bias")
    return w[f"{name}.weight"] @ x + (0 if bias is None else bias)


def centred(x: Tensor, eps: float) -> Tensor:
    """A vector of mean 0 and variance 1."""
    moved = x - x.mean()
    return moved / torch.sqrt((moved * moved).mean() + eps)


def norm(w: Weights, name: str, x: Tensor, eps: float) -> Tensor:
    """Layer norm."""
    return w[f"{name}.weight"] * centred(x, eps) + w[f"{name}.bias"]


def gelu(x: Tensor) -> Tensor:
    """By the error function."""
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def silu(x: Tensor) -> Tensor:
    """``x sigmoid(x)``."""
    return x / (1 + torch.exp(-x))


def attention(w: Weights, name: str, query: Tensor, keys: Keys, heads: int) -> Tensor:
    """Softmax attention of one query, head by head, with an output projection."""
    wq, wk, wv = w[f"{name}.qkv.weight"].chunk(3)
    bq, bk, bv = w[f"{name}.qkv.bias"].chunk(3)
    size = len(query) // heads
    parts = []
    for head in range(heads):
        rows = slice(head * size, (head + 1) * size)
        q = wq[rows] @ query + bq[rows]
        scores = [q @ (wk[rows] @ x + bk[rows]) / math.sqrt(size) for x in keys]
        shares = [torch.exp(s) for s in scores]
        total = torch.stack(shares).sum()
        values = [wv[rows] @ x + bv[rows] for x in keys]
        parts.append(sum(s / total * v for s, v in zip(shares, values, strict=True)))
    return linear(w, f"{name}.out", torch.cat(parts))  # type: ignore[arg-type]


def randomised(net: Any, seed: int = 11, spread: float = 0.4) -> Any:
    """The net in float64 with weights that leave nothing near zero or one."""
    net = net.double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in net.parameters():
            drawn = torch.randn(value.shape, generator=generator, dtype=torch.float64)
            value.copy_(drawn * spread)
    return net


def compare(
    net: Any,
    got: Sequence[Tensor],
    expected: Sequence[Tensor],
    unused: Callable[[str], bool] = lambda name: False,
) -> None:
    """States agree to 1e-10, and all gradients of one function of them to 1e-8.

    Args:
        net: whose parameters the gradients are by.
        got: its states.
        expected: those of the written model, from the same parameters.
        unused: parameters that the states do not depend on.
    """
    for ours_, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(ours_, theirs, rtol=1e-10, atol=1e-10)
    flat, dense = torch.stack(list(got)), torch.stack(list(expected))
    assert float(dense.detach().std()) > 1e-3
    generator = torch.Generator().manual_seed(5)
    probe = torch.randn(flat.shape, dtype=torch.float64, generator=generator)
    parameters = {n: p for n, p in net.named_parameters() if not unused(n)}
    ours = torch.autograd.grad((flat * probe).sum(), list(parameters.values()), retain_graph=True)
    theirs = torch.autograd.grad(
        (dense * probe).sum(), list(parameters.values()), retain_graph=True
    )
    for name, one, other in zip(parameters, ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9, msg=name)
        assert bool(other.any()), name


def recorded_dropout(
    monkeypatch: pytest.MonkeyPatch, share: float, *modules: ModuleType
) -> list[tuple[int, ...]]:
    """Let the modules' `dropout` drop nothing, and note the shape of each tensor it is given."""
    shapes: list[tuple[int, ...]] = []

    def recorded(x: Tensor, given: float, training: bool) -> Tensor:
        assert given == share and training
        shapes.append(tuple(x.shape))
        return x

    for module in modules:
        monkeypatch.setattr(module, "dropout", recorded)
    return shapes
