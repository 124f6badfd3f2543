"""Full ranking for many users: 2,000 items, a SASRec as it is initialised, 64 wide.

    python benchmarks/scale/rank_users.py [--sizes 1000,10000]

Each user has 20 events; their vectors are made by the model, which is most of the work.
"""

from __future__ import annotations

from pathlib import Path

import measuring
from rank_items import drawn, ranking

ITEMS = 2_000


def prepare(series: str, size: int, folder: Path) -> measuring.Work:
    """So many users; then their ranks."""
    return ranking(drawn(ITEMS, size))


TOPIC = measuring.Topic(
    "users", "Full ranking for many users", "users", (1_000, 10_000, 100_000), 50, prepare,
    "no more than in proportion to the users",
)  # fmt: skip

if __name__ == "__main__":
    measuring.run(TOPIC)
