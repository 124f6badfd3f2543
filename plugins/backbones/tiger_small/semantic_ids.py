"""Semantic ids: item vectors as short tuples of codes, by residual quantisation."""

from __future__ import annotations

import weakref

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

#: Rounds of Lloyd's algorithm at each level.
ROUNDS = 10


def residual_codebook(vectors: Tensor, levels: int, codes: int, seed: int) -> Tensor:
    """Centres of k-means, and of what each level leaves of the vectors: float [levels, codes, D].

    A centre that no vector is nearest to moves to the vector that is farthest from its own.

    Args:
        vectors: float [N, D], N at least 1.
        levels: of residuals.
        codes: centres of a level; with fewer vectors some centres are equal, and the first serves.
        seed: of the first centres, which are vectors, all different where there are enough.
    """
    generator = torch.Generator().manual_seed(seed)
    rest, books = vectors.clone(), []
    for _ in range(levels):
        centres = _k_means(rest, codes, generator)
        rest = rest - centres[nearest(rest, centres)]
        books.append(centres)
    return torch.stack(books)


def _k_means(vectors: Tensor, codes: int, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(vectors), generator=generator)
    centres = vectors[order[torch.arange(codes) % len(order)]].clone()
    for _ in range(ROUNDS):
        own = nearest(vectors, centres)
        counts = torch.bincount(own, minlength=codes)
        sums = torch.zeros_like(centres).index_add_(0, own, vectors)
        used = counts > 0
        centres = torch.where(used[:, None], sums / counts.clamp_min(1)[:, None], centres)
        idle = (~used).nonzero().squeeze(1)[: len(vectors)]
        if len(idle):
            away = (vectors - centres[own]).square().sum(1)
            centres[idle] = vectors[away.topk(len(idle)).indices]
    return centres


def nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre of each vector, the first of equal ones: int64 [N]."""
    half = centres.square().sum(1) / 2
    parts = [(half - part @ centres.T).argmin(1) for part in vectors.split(1 << 14)]
    return torch.cat(parts)


def assign(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Codes of vectors at each level: int64 [N, levels].

    Args:
        vectors: float [N, D].
        codebook: float [levels, codes, D].
    """
    rest, codes = vectors, []
    for centres in codebook:
        own = nearest(rest, centres)
        rest = rest - centres[own]
        codes.append(own)
    return torch.stack(codes, 1)


def tell_apart(codes: Tensor, limit: int) -> Tensor:
    """Codes with a last one that counts the items before with the same codes (TIGER, section 3.1).

    The count starts again at `limit`: items beyond it share a tuple with an earlier one.

    Args:
        codes: int64 [N, levels], of one domain's items, in the catalogue's order.
        limit: codes of a level.

    Returns:
        int64 [N, levels + 1].
    """
    _, group = torch.unique(codes, dim=0, return_inverse=True)
    order = torch.argsort(group, stable=True)
    ordered = group[order]
    starts = torch.searchsorted(ordered, ordered)
    count = torch.empty_like(group)
    count[order] = (torch.arange(len(group), device=group.device) - starts) % limit
    return torch.cat([codes, count[:, None]], 1)


class Codebooks:
    """Codebooks that were made in this process, for as long as their vectors are in memory.

    A merge builds a model again and again from one catalogue, and overwrites its codebook.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, int, int], tuple[weakref.ref[NDArray], Tensor]] = {}

    def of(self, vectors: NDArray[np.float32], levels: int, codes: int, seed: int) -> Tensor:
        """A copy of `residual_codebook` of these vectors."""
        key = (id(vectors), levels, codes, seed)
        held = self._made.get(key)
        if held is None or held[0]() is not vectors:
            self._made = {k: v for k, v in self._made.items() if v[0]() is not None}
            with torch.inference_mode(False), torch.no_grad():
                made = residual_codebook(torch.from_numpy(vectors.copy()), levels, codes, seed)
            held = self._made[key] = (weakref.ref(vectors), made)
        return held[1].clone()
