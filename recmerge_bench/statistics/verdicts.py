"""Better, worse, equivalent or undecided: a rule on numbers alone."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["better", "worse", "equivalent", "undecided"]
#: No verdict below it: two-sided sign tests of n seeds cannot go below 2 / 2^n either.
SEEDS = 5
MARGIN = 0.01
ALPHA = 0.05


def enough_seeds(seeds: int, seeded: bool) -> bool:
    """Whether the seeds allow a verdict; methods without any do not need them."""
    return not seeded or seeds >= SEEDS


def verdict(
    lower: float, upper: float, p: float, margin: float, seeds: int, seeded: bool = True,
    alpha: float = ALPHA,
) -> Verdict:  # fmt: skip
    """The verdict of a claim about methods.

    In this order: fewer than five seeds are undecided; an interval strictly within the margin is
    equivalent (also where it leaves out zero: such a difference is real and does not matter);
    an adjusted p of at most alpha is better or worse; everything else is undecided.

    Args:
        lower: of the interval of the difference, first minus baseline.
        upper: of it.
        p: two-sided, adjusted for the family.
        margin: largest difference that does not matter, in the metric's units: 1 % of the
            baseline's mean.
        seeds: number of paired seeds.
        seeded: whether any of the two depends on a seed.
        alpha: of the family.
    """
    if not enough_seeds(seeds, seeded):
        return "undecided"
    if -margin < lower and upper < margin:
        return "equivalent"
    if p <= alpha and lower > 0:
        return "better"
    if p <= alpha and upper < 0:
        return "worse"
    return "undecided"
