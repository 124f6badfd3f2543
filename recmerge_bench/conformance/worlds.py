"""Tiny generated data: what conformance is tried on. All of it follows from seeds.

In each domain most events walk a cycle through its items, the others fall on popular items: what
comes next can be learned from the last item, from neighbours of items, and in part from counts.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from recmerge_bench.data.interactions import Catalogue, Interactions
from recmerge_bench.data.sequences import Instances, Sequences, Split

#: Items of each domain, users, and the width of the items' text vectors.
ITEMS, USERS, TEXT_WIDTH = 20, 48, 16
#: Steps of the domains' cycles: each meets all items.
STEPS = (1, 3, 7)
#: Share of events that leave the cycle.
NOISE = 0.15
_DAY = 86_400


def catalogue(domains: Sequence[str] = ("d0", "d1"), items: int = ITEMS) -> Catalogue:
    """Items with texts and vectors of a text encoder."""
    count = items * len(domains)
    drawn = np.random.default_rng(11).standard_normal((count, TEXT_WIDTH)).astype(np.float32)
    return Catalogue(
        tuple(domains),
        np.arange(len(domains) + 1, dtype=np.int64) * items,
        [f"{d}-{n}" for d in domains for n in range(items)],
        [f"title: thing {n} taste{n % 5}" for _ in domains for n in range(items)],
        vectors=drawn / np.linalg.norm(drawn, axis=1, keepdims=True),
    )


def interactions(
    domains: Sequence[str] = ("d0", "d1"), users: int = USERS, seed: int = 0,
    noise: float = NOISE, items: int = ITEMS,
) -> Interactions:  # fmt: skip
    """Events of every user in every domain, mixed in time, a day apart.

    Args:
        domains: names.
        users: number of users, eight to twelve events each in each domain.
        seed: of all that is drawn.
        noise: share of events that leave the cycle; 1: nothing can be learned.
        items: of each domain.
    """
    draw, parts = np.random.default_rng(seed), []
    for _ in range(users):
        walks = [_walk(draw, d, noise, items) for d in range(len(domains))]
        order = draw.permutation(np.repeat(np.arange(len(walks)), [len(w) for w in walks]))
        taken = [iter(walk) for walk in walks]
        parts.append(np.array([next(taken[d]) for d in order], np.int32))
    lengths = [len(part) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    start = np.repeat(draw.integers(0, 400, users), lengths)
    steps = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    return Interactions(
        offsets,
        np.concatenate(parts),
        ((start + steps) * _DAY).astype(np.int64),
        [f"u{n}" for n in range(users)],
        catalogue(domains, items),
    )


def _walk(draw: np.random.Generator, domain: int, noise: float, items: int) -> list[int]:
    """A user's items in one domain, by global number."""
    item, walk = int(draw.integers(items)), []
    for _ in range(int(draw.integers(8, 13))):
        wild = int(draw.integers(items)) if noise >= 1 else int(items * draw.random() ** 3)
        item = wild if draw.random() < noise else (item + STEPS[domain]) % items
        walk.append(domain * items + item)
    return walk


def split_of(made: Interactions, mixed: bool = False) -> Split:
    """The last event for test, the one before for validation; of each domain, or of all.

    Args:
        made: events; every user has three in each domain at least.
        mixed: one sequence a user over all domains, not one a domain.
    """
    owner, rows = made.item_domains()[made.items], []
    for user in range(made.n_users):
        own = np.arange(made.offsets[user], made.offsets[user + 1])
        if mixed:
            rows.append((user, -1, made.items[own]))
            continue
        for domain in range(len(made.catalogue.domains)):
            rows.append((user, domain, made.items[own[owner[own] == domain]]))
    return _cut(rows, made.item_domains())


def _cut(rows: Sequence[tuple[int, int, np.ndarray]], of_item: np.ndarray) -> Split:
    lengths = np.array([len(items) for _, _, items in rows])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = np.concatenate([items for _, _, items in rows]).astype(np.int32)
    users = np.array([user for user, _, _ in rows], np.int32)
    domains = np.array([domain for _, domain, _ in rows], np.int16)
    sequences = Sequences(offsets, items, users, domains, (lengths - 2).astype(np.int32))

    def held(back: int) -> Instances:
        at = offsets[1:] - back
        return Instances(
            np.arange(len(rows), dtype=np.int32), (lengths - back).astype(np.int32), users,
            of_item[items[at]].astype(np.int16), items[at],
        )  # fmt: skip

    return Split(sequences, held(2), held(1), {})


def other_held_out(split: Split) -> Split:
    """The same training parts with other events behind them."""
    sequences = split.sequences
    items, ends = sequences.items.copy(), sequences.offsets[1:]
    held = np.concatenate([ends - 1, ends - 2])
    items[held] = items[held] // ITEMS * ITEMS + (items[held] % ITEMS + 7) % ITEMS
    return replace(split, sequences=replace(sequences, items=items))


@functools.cache
def learnable(mixed: bool = False) -> tuple[Interactions, Split]:
    """The events that models are trained on, and how they are split; nobody changes them."""
    made = interactions()
    return made, split_of(made, mixed)


@functools.cache
def unlearnable(mixed: bool = False, seed: int = 1) -> Split:
    """Sequences whose every event is drawn by itself: the next one cannot be known."""
    return split_of(interactions(users=3 * USERS, seed=seed, noise=1.0), mixed)


def chance(items: int = ITEMS, k: int = 10) -> float:
    """Mean NDCG@k of a target at a random rank among so many items."""
    ranks = np.arange(1, items + 1)
    return float(np.where(ranks <= k, 1 / np.log2(ranks + 1), 0).mean())


__all__ = [
    "ITEMS", "USERS", "catalogue", "chance", "interactions", "learnable", "other_held_out",
    "split_of", "unlearnable",
]  # fmt: skip
