"""Whole-word masking: some words of each sequence are hidden, with all their tokens."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from recmerge_bench.toolkit.models.towers import TokenGrid

#: Of the tokens to be told: share that the mask replaces, and share that a random token does; the
#: rest stay as they are (Devlin et al., BERT, 2019, section 3.1).
MASKED, RANDOM = 0.8, 0.1


def mask_words(
    grid: TokenGrid,
    share: float,
    mask: int,
    vocabulary: int,
    specials: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Token ids with some hidden (int64 [B, L]), and which are to be told (bool [B, L]).

    Of each sequence's words, `share` are drawn (rounded, at least one where there is a word); all
    tokens of a drawn word are to be told. What replaces a token is drawn for each by itself.
    Padding, special tokens and a sequence's first and last mark are never drawn.

    Args:
        grid: with ``words``.
        share: of the words, in (0, 1).
        mask: the mask token.
        vocabulary: random tokens are drawn from 0 .. vocabulary - 1.
        specials: int64 [S], special tokens.
        generator: on the grid's device; the only source of randomness.

    Raises:
        ValueError: the grid does not say where words begin.
    """
    if grid.words is None:
        raise ValueError("mask_words needs a grid with the beginnings of words")
    shape, device = grid.ids.shape, grid.ids.device
    own = grid.real & (grid.kinds != 0) & ~torch.isin(grid.ids, specials)
    # What follows a special token begins a word, whatever its mark says.
    starts = own & ((grid.words != 0) | ~F.pad(own[:, :-1], (1, 0)))
    number = starts.long().cumsum(1) - 1
    counts = starts.sum(1, keepdim=True)
    wanted = (share * counts).round().clamp_min(1)
    draws = torch.rand(shape, generator=generator, device=device)
    draws = draws.masked_fill(torch.arange(shape[1], device=device) >= counts, 2.0)
    order = draws.argsort(dim=1, stable=True)
    drawn = order.argsort(dim=1, stable=True) < wanted
    masked = own & drawn.gather(1, number.clamp_min(0))
    fates = torch.rand(shape, generator=generator, device=device)
    others = torch.randint(vocabulary, shape, generator=generator, device=device)
    ids = torch.where(masked & (fates < MASKED), mask, grid.ids)
    swapped = masked & (fates >= MASKED) & (fates < MASKED + RANDOM)
    return torch.where(swapped, others, ids), masked
