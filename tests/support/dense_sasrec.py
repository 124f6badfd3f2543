"""SASRec written out for one sequence at a time: padded on the left, loops for heads and queries.

After Kang & McAuley, ICDM 2018, section III, and the released code (kang205/SASRec, `model.py`,
`modules.py`), apart from the project's encoder: nothing of it is called here. Float64 throughout.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

EPS = 1e-8


class Dense:
    """States of SASRec from its weights.

    Args:
        weights: float64, by the project's names.
        layers: number of blocks.
        heads: number of heads.
        residuals: ``released``: ``q = LN(x); x = q + SA(q, x, x)``, ``z = LN(x); x = z + FFN(z)``
            (`modules.py` adds what it was called with, which is `normalize(seq)`); ``printed``:
            ``x + g(LN(x))`` for both parts (paper, section III-C).
        scale: whether item vectors are multiplied with the root of their width (`modules.py`,
            `embedding(scale=True)`; not in the paper).
    """

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        layers: int,
        heads: int,
        residuals: Literal["released", "printed"],
        scale: bool,
    ) -> None:
        self.w, self.layers, self.heads = weights, layers, heads
        self.residuals, self.scale = residuals, scale

    def states(self, vectors: Tensor, positions: Tensor) -> list[Tensor]:
        """States after each event.

        Args:
            vectors: [N, width], of the events, oldest first.
            positions: [L, width], of the slots: the last event stands in the last one.
        """
        pad = len(positions) - len(vectors)
        width = vectors.shape[1]
        factor = math.sqrt(width) if self.scale else 1.0
        grid: list[Tensor | None] = [None] * pad
        grid += [factor * v + positions[pad + n] for n, v in enumerate(vectors)]
        for number in range(self.layers):
            grid = self._block(f"encoder.layers.{number}", grid)
        return [self._norm("encoder.norm", x) for x in grid if x is not None]

    def _block(self, name: str, grid: Sequence[Tensor | None]) -> list[Tensor | None]:
        """One block; None is a padded slot: zero, no key, no query."""
        out: list[Tensor | None] = []
        released = self.residuals == "released"
        first = f"{name}.query_norm" if released else f"{name}.attention_norm"
        for i, x in enumerate(grid):
            if x is None:
                out.append(None)
                continue
            query = self._norm(first, x)
            known = [k for k in grid[: i + 1] if k is not None]
            if not released:
                known = [self._norm(first, k) for k in known]
            mixed = self._attention(f"{name}.attention", query, known)
            y = (query if released else x) + mixed
            z = self._norm(f"{name}.inner_norm", y)
            fed = self._linear(f"{name}.outer", self._linear(f"{name}.inner", z).clamp_min(0.0))
            out.append((z if released else y) + fed)
        return out

    def _attention(self, name: str, query: Tensor, keys: Sequence[Tensor]) -> Tensor:
        """Eq. 2 and 3 for one query, head by head, heads one after the other."""
        wq, wk, wv, bq, bk, bv = self._maps(name)
        size = len(query) // self.heads
        parts = []
        for head in range(self.heads):
            rows = slice(head * size, (head + 1) * size)
            q = wq[rows] @ query + bq[rows]
            scores = [q @ (wk[rows] @ x + bk[rows]) / math.sqrt(size) for x in keys]
            top = max(float(s.detach()) for s in scores)
            shares = [torch.exp(s - top) for s in scores]
            total = torch.stack(shares).sum()
            values = [wv[rows] @ x + bv[rows] for x in keys]
            weighted = [s / total * v for s, v in zip(shares, values, strict=True)]
            parts.append(torch.stack(weighted).sum(0))
        mixed = torch.cat(parts)
        # The release has no output projection; its ports, and sasrec-prenorm, do.
        return self._linear(f"{name}.out", mixed) if f"{name}.out.weight" in self.w else mixed

    def _maps(self, name: str) -> tuple[Tensor, ...]:
        """Weights and biases of queries, keys and values."""
        if f"{name}.qkv.weight" in self.w:
            return (*self.w[f"{name}.qkv.weight"].chunk(3), *self.w[f"{name}.qkv.bias"].chunk(3))
        weights = self.w[f"{name}.memory.weight"].chunk(2)
        biases = self.w[f"{name}.memory.bias"].chunk(2)
        return (self.w[f"{name}.query.weight"], *weights, self.w[f"{name}.query.bias"], *biases)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return self.w[f"{name}.weight"] @ x + self.w[f"{name}.bias"]

    def _norm(self, name: str, x: Tensor) -> Tensor:
        centred = x - x.mean()
        spread = torch.sqrt((centred * centred).mean() + EPS)
        return self.w[f"{name}.weight"] * centred / spread + self.w[f"{name}.bias"]
