"""Ranking among 999 sampled negatives: users per second and peak memory.

    python benchmarks/speed/sampled_ranking.py [--small]

Ours ranks every user against negatives that were drawn, stored and hashed before (the time for
that is in the JSON line, and the second side counts it in); RecBole draws 999 with replacement on
every pass and encodes the history again for each of them, so it gets a few users only.
"""

from __future__ import annotations

import argparse

import ranking
import side_by_side


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """All users, negatives at hand."""
    return ranking.ours(given.users, given.items, 999)


def ours_with_drawing(given: argparse.Namespace) -> side_by_side.Measured:
    """All users, the negatives drawn for this one ranking."""
    found = ranking.ours(given.users, given.items, 999)
    return {**found, "seconds": found["seconds"] + found["drawing_seconds"]}


def recbole(given: argparse.Namespace) -> side_by_side.Measured:
    """RecBole's ``evaluate`` in mode ``uni999``, on the first users."""
    return ranking.recbole(given.users, given.items, "uni999", given.rows)


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "Ranking among 999 negatives",
            "users",
            {"ours": ours, "RecBole": recbole, "ours, drawing included": ours_with_drawing},
        ),
        [
            ("users", (20_000, 2_000), "of the data"),
            ("items", (20_000, 2_000), "of the data"),
            ("rows", (20, 4), "users that RecBole ranks"),
        ],
    )
