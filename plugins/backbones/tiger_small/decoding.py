"""From a decoder of codes to items: all of them exactly, or the first ones by beam search."""

from __future__ import annotations

import torch
from recmerge_bench_plugins.backbones.tiger_small.net import TigerNet
from recmerge_bench_plugins.backbones.tiger_small.trie import Level
from torch import Tensor

#: Numbers of one state of all nodes, for the users that are decoded at once: what a cache holds.
_AT_ONCE = 1 << 20


def item_log_probabilities(
    net: TigerNet, histories: Tensor, lengths: Tensor, domain: str
) -> Tensor:
    """The logarithm of each item's probability to be generated next: [B, items of the domain].

    The sum along the item's path through the tree of its domain's ids, where each node's codes are
    limited to those that lead to an item (the softmax is over them). So the probabilities of a
    domain's items add up to one; items that share an id each have the id's.

    Args:
        net: the module.
        histories: int64 [B, L], global items, right-padded.
        lengths: int64 [B].
        domain: whose items.
    """
    memory, unseen = _remembered(net, histories, lengths)
    nodes = max(len(level.prefixes) for level in net.trie(domain).levels)
    size = max(1, _AT_ONCE // (max(1, nodes) * memory.shape[2]))
    parts = zip(memory.split(size), unseen.split(size), strict=True)
    return torch.cat([_all_paths(net, domain, *part) for part in parts])


def beam_search(
    net: TigerNet, histories: Tensor, lengths: Tensor, domain: str, width: int
) -> list[tuple[Tensor, Tensor]]:
    """Items that a beam of `width` prefixes reaches, for each user, the likeliest first.

    The same probabilities as `item_log_probabilities`; only the `width` likeliest prefixes of each
    depth are followed. A beam as wide as a depth has nodes gives what that gives.

    Args:
        net: the module.
        histories: as there.
        lengths: as there.
        domain: as there.
        width: prefixes that are kept.

    Returns:
        For each user rows of the domain's items, int64 [n], and their log-probabilities [n]; n is
        `width` at most, but for items that share an id.
    """
    memory, unseen = _remembered(net, histories, lengths)
    return [
        _one_beam(net, domain, memory[i : i + 1], unseen[i : i + 1], width)
        for i in range(len(memory))
    ]


def _remembered(net: TigerNet, histories: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Histories' states, and the bias that hides their padding: [B, 1, 1, T]."""
    memory = net.remember(histories)
    behind = net.owners(histories.shape[1]) >= lengths[:, None]
    unseen = memory.new_zeros(behind.shape).masked_fill(behind, -torch.inf)
    return memory, unseen[:, None, None]


def _all_paths(net: TigerNet, domain: str, memory: Tensor, unseen: Tensor) -> Tensor:
    trie = net.trie(domain)
    known = memory.new_zeros(len(memory), 1)
    for place, level in enumerate(trie.levels):
        known = known[:, level.parents]
        if len(level.edges):
            chances = _chances(net, place, level, level.prefixes, level.open, memory, unseen)
            steps = chances.flatten(1)[:, level.places].to(known.dtype)  # autocast mixes the two
            known = known.index_add(1, level.edges, steps)
    return known[:, trie.leaves]


def _chances(
    net: TigerNet,
    place: int,
    level: Level,
    prefixes: Tensor,
    opened: Tensor,
    memory: Tensor,
    unseen: Tensor,
) -> Tensor:
    """Log-probabilities of the allowed codes after some branching nodes: [B, nodes, U]."""
    states = net.decode(prefixes[None], memory, unseen, last_only=True).squeeze(2)
    logits = net.logits(states, place, level.allowed)
    return logits.masked_fill(~opened, -torch.inf).log_softmax(-1)


def _one_beam(
    net: TigerNet, domain: str, memory: Tensor, unseen: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    trie = net.trie(domain)
    nodes = torch.zeros(1, dtype=torch.int64, device=memory.device)
    known = memory.new_zeros(1)
    for place, level in enumerate(trie.levels):
        reached = known.new_full((len(level.rows),), -torch.inf)
        reached[nodes] = known
        total = reached[level.parents]
        rows = level.rows[nodes]
        rows = rows[rows >= 0]
        if len(rows):
            opened = level.open[rows]
            made = _chances(net, place, level, level.prefixes[rows], opened, memory, unseen)
            chances = known.new_zeros(level.open.shape)
            chances[rows] = made[0]
            total[level.edges] += chances.flatten()[level.places]
        kept = total.topk(min(width, int((total > -torch.inf).sum())))
        nodes, known = kept.indices, kept.values
    reached = known.new_full((int(trie.leaves.max()) + 1,), -torch.inf)
    reached[nodes] = known
    every = reached[trie.leaves]
    order = every.argsort(descending=True, stable=True)
    order = order[: int((every > -torch.inf).sum())]
    return order, every[order]
