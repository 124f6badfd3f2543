"""The tree of a domain's semantic ids: which codes may follow which."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Level:
    """The nodes of one depth and the edges below those that branch.

    A node with one child is followed with certainty, so that no model is asked about it.

    Attributes:
        prefixes: int64 [M, depth], the codes that lead to each branching node.
        rows: int64 [nodes], where each node of this depth stands in `prefixes`, or -1.
        allowed: int64 [U], codes that stand at the next place anywhere in the tree.
        open: bool [M, U], which of them may follow a branching node.
        parents: int64 [C], the node of this depth (branching or not) that each node of the next
            depth is below.
        edges: int64 [E], nodes of the next depth whose parents branch.
        places: int64 [E], where their log-probabilities stand in a flattened [M, U].
    """

    prefixes: Tensor
    rows: Tensor
    allowed: Tensor
    open: Tensor
    parents: Tensor
    edges: Tensor
    places: Tensor


@dataclass(frozen=True)
class Trie:
    """A tree of semantic ids.

    Attributes:
        levels: from the root down.
        leaves: int64 [N], the node of the last depth that each item is at; items with the same
            codes share one.
    """

    levels: tuple[Level, ...]
    leaves: Tensor

    @classmethod
    def of(cls, codes: Tensor) -> Trie:
        """The tree of items' codes, int64 [N, depth]."""
        above = torch.zeros(len(codes), dtype=torch.int64, device=codes.device)
        levels = []
        for depth in range(codes.shape[1]):
            level, above = _level(codes[:, : depth + 1], above)
            levels.append(level)
        return cls(tuple(levels), above)


def _level(codes: Tensor, above: Tensor) -> tuple[Level, Tensor]:
    """One depth of the tree, and the node of the next depth for each item.

    Args:
        codes: int64 [N, depth + 1].
        above: int64 [N], each item's node of this depth.
    """
    tuples, below = torch.unique(codes, dim=0, return_inverse=True)
    parents = torch.empty(len(tuples), dtype=torch.int64, device=codes.device)
    parents[below] = above
    children = torch.bincount(parents)
    branching = (children > 1).nonzero().squeeze(1)
    row = torch.full_like(children, -1)
    row[branching] = torch.arange(len(branching), device=codes.device)
    prefixes = tuples.new_empty(len(children), codes.shape[1] - 1)
    prefixes[parents] = tuples[:, :-1]
    edges = (row[parents] >= 0).nonzero().squeeze(1)
    allowed, column = torch.unique(tuples[edges, -1], return_inverse=True)
    places = row[parents[edges]] * len(allowed) + column
    opened = torch.zeros(len(branching) * len(allowed), dtype=torch.bool, device=codes.device)
    opened[places] = True
    level = Level(
        prefixes[branching], row, allowed, opened.view(len(branching), len(allowed)), parents,
        edges, places,
    )  # fmt: skip
    return level, below
