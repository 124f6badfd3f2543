"""The feed-forward block SwiGLU (Shazeer, arXiv 2002.05202)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from recmerge_bench.toolkit.models.products import Linear


class SwiGLU(nn.Module):
    """``(SiLU(h G) * h V) W`` without biases; G and V are one product.

    State dict: ``inner.weight`` [2 * inner, width] (G, then V) and ``outer.weight``.

    Args:
        width: of the vectors.
        inner: columns of G and of V.
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.inner = Linear(width, 2 * inner, bias=False)
        self.outer = Linear(inner, width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """[..., width] to [..., width]."""
        gate, value = self.inner(hidden).chunk(2, -1)
        out: Tensor = self.outer(F.silu(gate) * value)
        return out
