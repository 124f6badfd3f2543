"""Full ranking and 999 stored negatives in one pass, at the size of MERIT's food-kitchen.

    python benchmarks/speed/merit_ranking.py --threads 1 [--small]

CPU time, which what else the machine does hardly changes; the wall clock is in the record too.
User and item vectors are random and 256 wide, so that nothing but the evaluation is timed; the
split is of the released data where they lie beside the project, else generated at their size. The
second side is the usual way: both rankings by themselves, all scores of 256 users at a time, the
negatives' and the target's vectors gathered for every user.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import side_by_side
import torch
from torch import Tensor

from recmerge_bench.data.candidates import draw
from recmerge_bench.data.interactions import Interactions
from recmerge_bench.data.splits import leave_one_out
from recmerge_bench.evaluation.metrics import hit, mrr, ndcg, rank
from recmerge_bench.evaluation.ranking import Ranking, count_many
from recmerge_bench.registry import discover
from recmerge_bench.targets import define

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "merit"


class Work:
    """What both sides rank.

    Args:
        given: ``users`` (the released pair has 7,144), ``width`` and ``negatives``.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self.data = load(given.users)
        self.catalogue = self.data.catalogue
        self.split = leave_one_out(self.data, self.catalogue.domains, "mixed")
        self.test = self.split.test.take(slice(0, given.users))
        start = time.perf_counter()
        self.negatives = draw(self.split, self.test, self.catalogue, given.negatives, 2026)
        self.drawing_seconds = time.perf_counter() - start
        generator = torch.Generator().manual_seed(0)
        self.users = torch.randn(len(self.test), given.width, generator=generator)
        self.items = torch.randn(self.catalogue.n_items, given.width, generator=generator)

    def start(self) -> None:
        """From here on the time counts."""
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def told(self, found: list[np.ndarray]) -> side_by_side.Measured:
        """The time, and ranks as metrics, so that both sides can be compared."""
        cpu, wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        names = ("full", "sampled")
        means = [float((1 / ranks).mean()) for ranks in found]
        return {
            "units": len(self.test),
            "seconds": cpu,
            "wall_seconds": wall,
            "drawing_seconds": self.drawing_seconds,
            "domains": list(self.catalogue.domains),
            "metrics": {f"mrr {name}": mean for name, mean in zip(names, means, strict=True)},
        }


def load(users: int) -> Interactions:
    """The released pair, or two generated domains of its size."""
    registry = discover(environ={})
    released = users >= 7144 and SHARED.is_dir()
    name = "amazon-merit" if released else "synthetic"
    options: dict[str, Any] = {"users": users, "items": 14_000, "n_domains": 2}
    interactions: Interactions = define(
        registry.get("dataset", name).target, {} if released else options
    ).load(SHARED if released else None)
    return interactions


def all_metrics(ranks: np.ndarray) -> list[np.ndarray]:
    """MERIT's four."""
    return [mrr(ranks, None), ndcg(ranks, 10), hit(ranks, 5), hit(ranks, 10)]


def ours(given: argparse.Namespace) -> side_by_side.Measured:
    """Counts for both rankings from one pass over the scores."""
    work = Work(given)
    buffer = torch.empty(0)

    def score_block(rows: np.ndarray, domain: str) -> Tensor:
        nonlocal buffer
        items = work.items[work.catalogue.span(domain)]
        if buffer.numel() < len(rows) * len(items):
            buffer = torch.empty(len(rows) * len(items))
        out = buffer[: len(rows) * len(items)].view(len(rows), len(items))
        return torch.mm(work.users[torch.from_numpy(rows)], items.T, out=out)

    rankings = [Ranking(), Ranking(work.negatives)]
    with torch.inference_mode():
        few = work.test.take(slice(0, 64))
        count_many(score_block, few, work.split, work.catalogue, [Ranking()])  # warm-up
        work.start()
        counts = count_many(score_block, work.test, work.split, work.catalogue, rankings)
        found = [rank(*pair) for pair in counts]
        for ranks in found:
            all_metrics(ranks)
        return work.told(found)


def gathered(given: argparse.Namespace) -> side_by_side.Measured:
    """All scores at once, then vectors gathered for the negatives."""
    work = Work(given)
    targets = torch.from_numpy(work.test.targets.astype(np.int64))
    negatives = torch.from_numpy(work.negatives.astype(np.int64))
    full, sampled = np.empty(len(work.test)), np.empty(len(work.test))

    def place(scores: Tensor, own: Tensor, itself: int) -> np.ndarray:
        above, same = (scores > own).sum(1), (scores == own).sum(1) - itself
        return rank(above.numpy(), same.numpy())

    with torch.inference_mode():
        work.start()
        for number, domain in enumerate(work.catalogue.domains):
            span = work.catalogue.span(domain)
            rows = np.flatnonzero(work.test.domains == number)
            for first in range(0, len(rows), 256):
                some = rows[first : first + 256]
                users = work.users[some]
                scores = users @ work.items[span].T
                full[some] = place(scores, scores.gather(1, targets[some, None] - span.start), 1)
                asked = torch.cat([targets[some, None], negatives[some]], 1)
                scores = torch.einsum("bd,bnd->bn", users, work.items[asked])
                sampled[some] = place(scores[:, 1:], scores[:, :1], 0)
        for ranks in (full, sampled):
            all_metrics(ranks)
        return work.told([full, sampled])


if __name__ == "__main__":
    side_by_side.run(
        side_by_side.Comparison(
            "Full ranking and 999 stored negatives, MERIT's food-kitchen",
            "users",
            {"ours": ours, "vectors gathered": gathered},
            "CPU time",
        ),
        [
            ("users", (7_144, 500), "of the data"),
            ("width", (256, 64), "of the vectors"),
            ("negatives", (999, 99), "of each target"),
        ],
    )
