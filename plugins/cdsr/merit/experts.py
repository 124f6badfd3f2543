"""Gated feed-forward blocks: SwiGLU, and a mixture of a shared expert with one for each output."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from recmerge_bench.toolkit.models.dropout import dropout
from recmerge_bench.toolkit.models.products import linear


class Experts(nn.Module):
    """Several SwiGLU networks ``(silu(x W1) * (x W2)) W3`` of the same input, without biases.

    All first layers are one product but on a processor, where an expert's layers together stay in
    the cache.

    Args:
        width: of the vectors.
        inner: width of the inside.
        count: how many.
    """

    def __init__(self, width: int, inner: int, count: int) -> None:
        super().__init__()
        self.up = nn.Parameter(torch.empty(count, 2, inner, width))
        self.down = nn.Parameter(torch.empty(count, width, inner))

    def draw(self, std: float, generator: torch.Generator) -> None:
        """All weights normal(0, std)."""
        nn.init.normal_(self.up, std=std, generator=generator)
        nn.init.normal_(self.down, std=std, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """[N, width] to [count, N, width]."""
        if x.device.type == "cpu":
            return torch.stack([self._one(x, number) for number in range(len(self.up))])
        both = F.linear(x, self.up.flatten(0, 2)).unflatten(1, self.up.shape[:3])
        inside: Tensor = _Gated.apply(both)  # type: ignore[no-untyped-call]
        return torch.bmm(inside.transpose(0, 1), self.down.transpose(1, 2))

    def _one(self, x: Tensor, number: int) -> Tensor:
        both = linear(x, self.up[number].flatten(0, 1), None, self.training)
        inside: Tensor = _Gated.apply(both.unflatten(1, (1, 2, -1)))  # type: ignore[no-untyped-call]
        return linear(inside.squeeze(1), self.down[number], None, self.training)


class _Gated(torch.autograd.Function):
    """``silu(gate) * value``: [N, count, 2, inner] to [N, count, inner].

    The gradient is written into its place at once; autograd's own would put it together.
    """

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        ctx.save_for_backward(both)
        gate, value = both.unbind(2)
        return F.silu(gate).mul_(value)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (both,) = ctx.saved_tensors
        (gate, value), out = both.unbind(2), torch.empty_like(both)
        by_gate, by_value = out.unbind(2)
        by_gate.copy_(torch.ops.aten.silu_backward(grad * value, gate))
        torch.mul(grad, F.silu(gate), out=by_value)
        return out


class GatedBlock(nn.Module):
    """``norm(x + drop(swiglu(x)))``: [N, width] to [N, width]."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.experts = Experts(width, inner, 1)
        self.norm = nn.LayerNorm(width)
        self.dropout = dropout

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Weights normal(0, std), the norm 1 and 0."""
        self.experts.draw(std, generator)
        self.norm.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        out: Tensor = self.norm(x + dropout(self.experts(x)[0], self.dropout, self.training))
        return out


class MixtureBlock(nn.Module):
    """A block with several outputs, each a gated mixture of a shared expert and one of its own.

    Output k is ``norm_k(x + drop(g_0 shared(x) + g_1 expert_k(x)))`` with
    ``g = softmax(x G_k)`` (MERIT, MM 2025, moFFN).

    Args:
        width: of the vectors.
        inner: width of an expert's inside.
        outputs: how many.
        dropout: drawn for each output apart.
    """

    def __init__(self, width: int, inner: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.experts = Experts(width, inner, 1 + outputs)
        self.gate = nn.Parameter(torch.empty(outputs, 2, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(outputs))
        self.dropout = dropout

    def draw(self, std: float, generator: torch.Generator) -> None:
        """Weights normal(0, std), the norms 1 and 0."""
        self.experts.draw(std, generator)
        nn.init.normal_(self.gate, std=std, generator=generator)
        for norm in self.norms:
            norm.reset_parameters()  # type: ignore[operator]

    def gates(self, x: Tensor) -> Tensor:
        """Weights of the shared expert and of the output's own: [N, outputs, 2]."""
        return F.linear(x, self.gate.flatten(0, 1)).unflatten(1, (-1, 2)).softmax(2)

    def forward(self, x: Tensor) -> list[Tensor]:
        """[N, width] to one [N, width] for each output."""
        shared, own = self.experts(x).split([1, len(self.norms)])
        # Autocast keeps a softmax in fp32, and lerp takes three of one type.
        weight = self.gates(x)[..., 1:].transpose(0, 1).to(own.dtype)
        mixed = torch.lerp(shared, own, weight)  # the two weights' sum is 1
        sums = x + dropout(mixed, self.dropout, self.training)
        return [norm(one) for norm, one in zip(self.norms, sums.unbind(0), strict=True)]
