"""What every metric of ranks has to do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recmerge_bench.borders.metrics import values_of
from recmerge_bench.conformance.common import COMMON
from recmerge_bench.conformance.requirement import Unmet, requirement
from recmerge_bench.conformance.subject import Subject

#: The best, ties, both sides of the cut-off, and the far end of a large catalogue.
RANKS = np.array([1.0, 1.5, 2.0, 3.0, 7.0, 10.0, 10.5, 11.0, 400.0, 1e6])


@dataclass
class MetricSubject(Subject):
    """A metric under test.

    Attributes:
        k: the cut-off.
    """

    k: int | None = field(default=10, kw_only=True)

    def values(self, ranks: np.ndarray) -> np.ndarray:
        """Checked values."""
        return values_of(self.definition, ranks, self.k)

    def outputs(self) -> dict[str, np.ndarray]:
        """Values, and the ranks afterwards."""
        ranks = RANKS.copy()
        return {"values": self.values(ranks).copy(), "ranks": ranks}


@requirement(
    "shapes",
    "finite float64 values, one for each rank; none for none",
    why="values are averaged by domain and bootstrapped by user",
    remedy="compute with numpy on the whole array: np.where(rank <= k, ..., 0.0)",
)
def shapes(subject: MetricSubject) -> None:
    """Many ranks, one, none; ranks stay as they are."""
    after = subject.first().outputs["ranks"]
    if not np.array_equal(after, RANKS):
        raise Unmet("value() changed the ranks that it was handed")
    for count in (1, 0):
        subject.values(RANKS[:count].copy())


@requirement(
    "each-by-itself",
    "a rank's value depends on no other rank, nor on the order",
    why="boards average values over users, and resample users for their intervals",
    remedy="no normalisation over the array; what is of a whole list is no metric of one rank",
)
def each_by_itself(subject: MetricSubject) -> None:
    """Together, alone, and in reverse order."""
    whole = subject.values(RANKS.copy())
    alone = [subject.values(RANKS[i : i + 1].copy())[0] for i in range(len(RANKS))]
    back = subject.values(RANKS[::-1].copy())[::-1]
    if not (np.array_equal(whole, alone) and np.array_equal(whole, back)):
        raise Unmet(f"alone the ranks {RANKS.tolist()} have {alone}, together {whole.tolist()}")


@requirement(
    "quality",
    "a better rank has no lower value, and the best has the highest",
    why="boards mark the highest value as best, and tests ask for more",
    remedy="turn what is better when smaller around (1 / rank, 1 - share)",
)
def quality(subject: MetricSubject) -> None:
    """Falling with the rank, and not flat."""
    values = subject.values(RANKS.copy())
    if (np.diff(values) > 1e-12).any():
        at = int(np.flatnonzero(np.diff(values) > 1e-12)[0])
        raise Unmet(
            f"rank {RANKS[at]:g} has {values[at]:.4g} and rank {RANKS[at + 1]:g} has "
            f"{values[at + 1]:.4g}"
        )
    if values[0] <= values[-1]:
        raise Unmet(f"every rank has {values[0]:.4g}: it tells nothing apart")


REQUIREMENTS = (shapes, each_by_itself, quality, *COMMON)

__all__ = ["REQUIREMENTS", "MetricSubject"]
