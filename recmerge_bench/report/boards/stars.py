"""The test behind a paper's stars, on our seeds: whether ours would get them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recmerge_bench.report.boards.paper import Beside
from recmerge_bench.results.header import PaperTest
from recmerge_bench.statistics.published import published_test


@dataclass(frozen=True)
class Stars:
    """A paper's own method beside the best baseline of the same table, both of ours.

    Attributes:
        entry: the method.
        against: the baseline with the highest mean of ours.
        p: of the paper's test, on the seeds that both have.
        stars: that the paper would print by it: none where the method is not above.
    """

    entry: Beside
    against: Beside
    p: float
    stars: int


def stars(entries: Sequence[Beside], test: PaperTest | None) -> list[Stars]:
    """One for each number of a proposed method that can be tested.

    Args:
        entries: of one table.
        test: the paper's; None: it prints no stars.
    """
    tested: list[Stars] = []
    if not test:
        return tested
    for entry in entries:
        best = _best_rival(entry, entries)
        if best is None or entry.role != "proposed" or entry.range or len(entry.ours) < 2:
            continue
        first, second = _paired(entry.ours, best.ours)
        if len(first) < 2:
            continue
        p = published_test(test.name, first, second)
        above = first.mean() > second.mean()
        tested.append(Stars(entry, best, p, above * sum(p <= level for level in test.levels)))
    return tested


def _best_rival(entry: Beside, entries: Sequence[Beside]) -> Beside | None:
    """The baseline that is best by our numbers; None where none is done."""
    rivals = [e for e in entries if e.role == "baseline" and e.ours and _alike(e, entry)]
    return max(rivals, key=lambda e: e.mean or 0.0, default=None)


def _alike(one: Beside, other: Beside) -> bool:
    keys = ("backbones", "domain", "metric", "share")
    return all(getattr(one, k) == getattr(other, k) for k in keys)


def _paired(
    first: Mapping[int | None, float], second: Mapping[int | None, float]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    if list(second) == [None]:
        return np.array(list(first.values())), np.array(list(second.values()))
    seeds = [s for s in first if s in second]
    return np.array([first[s] for s in seeds]), np.array([second[s] for s in seeds])
