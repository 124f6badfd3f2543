"""Splits and full ranking of the same events in many domains: 20,000 items, 5,000 users.

    python benchmarks/scale/rank_domains.py [--sizes 10,100]

Users, items and events stay; what grows is the number of domains that the items are parted into.
Each user has ten events in each of ten domains, so that there are 50,000 targets whatever their
number; of fewer than ten domains each user has events in all of them.
"""

from __future__ import annotations

from pathlib import Path

import measuring
import numpy as np
from rank_items import ranking

ITEMS, USERS, OF_EACH, MOST = 20_000, 5_000, 10, 10


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """Users of so many domains; then the split and the ranks."""
    return ranking(drawn(size))


def drawn(domains: int) -> object:
    """Events of each user in `MOST` domains at most, in `OF_EACH` events each."""
    from recmerge_bench.data.interactions import Catalogue, Interactions

    draw, own = np.random.default_rng(0), min(domains, MOST)
    bounds = np.linspace(0, ITEMS, domains + 1).astype(np.int64)
    first = draw.integers(0, domains, USERS)
    named = (first[:, None] + np.arange(own)) % domains
    places = np.repeat(named, OF_EACH, axis=1).ravel()
    low, high = bounds[places], bounds[places + 1]
    items = (low + draw.random(len(places)) * (high - low)).astype(np.int32)
    names = tuple(f"d{n}" for n in range(domains))
    tokens = [str(n) for n in range(ITEMS)]
    events = own * OF_EACH
    return Interactions(
        np.arange(0, USERS * events + 1, events, dtype=np.int64), items,
        np.tile(np.arange(events, dtype=np.int64), USERS), [str(n) for n in range(USERS)],
        Catalogue(names, bounds, tokens, [""] * ITEMS),
    )  # fmt: skip


TOPIC = measuring.Topic(
    "domains", "Split and full ranking of many domains", "domains", (10, 100, 1_000), 4, prepare,
    "50,000 targets whatever the domains",
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
