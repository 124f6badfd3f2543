"""Interactions of the store made into a split and training windows, as cells do it.

    python benchmarks/scale/prepare_events.py [--sizes 100000,1000000]

Events are memory-mapped from a store's files, split by leave-one-out for each of two domains,
written, and cut into the first epoch's windows of 50.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import measuring
import numpy as np

MEAN_LENGTH, DOMAINS, WINDOW = 20, ("d0", "d1"), 50


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """Drawn events, saved; then what trainings and rankings need of them."""
    from recmerge_bench.data.codec import load_interactions, save_interactions, save_split
    from recmerge_bench.data.splits import leave_one_out
    from recmerge_bench.training.windows import cut_windows

    (folder / "data").mkdir()
    (folder / "split").mkdir()
    save_interactions(drawn(size), folder / "data")

    def work() -> dict[str, Any]:
        split = leave_one_out(load_interactions(folder / "data"), DOMAINS)
        save_split(split, folder / "split")
        windows = 0
        for number in range(len(DOMAINS)):
            offsets, items = split.sequences.training(number)
            windows += len(cut_windows(offsets, items, WINDOW, np.random.default_rng(0)))
        return {"sequences": len(split.sequences), "windows": windows}

    def rated() -> dict[str, Any]:
        return work() | {"events": size}

    return rated


def drawn(events: int) -> Any:
    """Events of users of `MEAN_LENGTH` each, over two domains with an item for every 100 events."""
    from recmerge_bench.data.interactions import Catalogue, Interactions

    draw = np.random.default_rng(0)
    users, half = max(1, events // MEAN_LENGTH), max(10, events // 200)
    lengths = np.diff(np.linspace(0, events, users + 1).astype(np.int64))
    tokens = [str(n) for n in range(2 * half)]
    catalogue = Catalogue(DOMAINS, np.array([0, half, 2 * half]), tokens, [""] * (2 * half))
    return Interactions(
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        draw.integers(0, 2 * half, events, dtype=np.int32),
        np.arange(events, dtype=np.int64), [str(n) for n in range(users)], catalogue,
    )  # fmt: skip


TOPIC = measuring.Topic(
    "events", "Preparing interactions", "events", (100_000, 1_000_000, 10_000_000), 1_000, prepare,
    "10,000,000 events at 1,000,000 events/s and in 2 GB",
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
