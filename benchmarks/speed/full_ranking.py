"""Full ranking of every user's last event: users per second and peak memory.

    python benchmarks/speed/full_ranking.py [--small]

A SASRec as initialised, 2 layers, 2 heads, width 64, 50 events; HR, NDCG and MRR at 10.
"""

from __future__ import annotations

import argparse

import ranking
import side_by_side


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """Encode without padding, count in streamed blocks."""
    return ranking.ours(given.users, given.items, 0)


def recbole(given: argparse.Namespace) -> side_by_side.Measured:
    """RecBole's ``evaluate`` in mode ``full``."""
    return ranking.recbole(given.users, given.items, "full")


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison("Full ranking", "users", {"ours": ours, "RecBole": recbole}),
        [("users", (20_000, 1_000), "of the data"), ("items", (20_000, 1_000), "of the data")],
    )
