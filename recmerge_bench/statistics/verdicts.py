"""Better, worse, equivalent, undecided, or no verdict: the one rule, on numbers alone.

What is tested, and beside what else, is said in `recmerge_bench.statistics.families`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from recmerge_bench.statistics.claims import Studentised
from recmerge_bench.statistics.families import divisors, holm

Word = Literal["better", "worse", "equivalent", "undecided", "no verdict"]
NONE: Word = "no verdict"
#: What is said of these models in records that were made before it was judged.
UNRECORDED = "not recorded"
#: No verdict below it: two-sided sign tests of n seeds cannot go below 2 / 2^n either.
SEEDS = 5
#: No verdict below it in any domain: the tests take a mean over users for normal, and most users
#: of a ranking metric have a value of zero.
USERS = 30
MARGIN = 0.01
ALPHA = 0.05


@dataclass(frozen=True)
class Judgement:
    """What is said of one difference within its family.

    Attributes:
        verdict: ``no verdict`` is a state of its own: nothing was tested.
        reason: why there is no verdict (``3 of 5 seeds``); else empty.
        p: two-sided, of no difference, adjusted by Holm for the family; None without a verdict.
        level: of the interval behind the verdict: 1 - alpha / k, where Holm tests this difference
            at alpha / k. None without a verdict.
        lower: of that interval. It leaves out zero where `p` is at most alpha, and lies within the
            margin where the verdict is ``equivalent``.
        upper: of it.
    """

    verdict: Word
    reason: str = ""
    p: float | None = None
    level: float | None = None
    lower: float | None = None
    upper: float | None = None

    def __str__(self) -> str:
        return shown(self.verdict, self.reason)


def shown(verdict: str, reason: str = "") -> str:
    """A verdict as boards print it."""
    return f"{verdict} ({reason})" if reason else verdict


def few_seeds(n_seeds: int, seeded: bool) -> str:
    """Why the seeds allow no verdict; methods without any do not need them."""
    return f"{n_seeds} of {SEEDS} seeds" if seeded and n_seeds < SEEDS else ""


def few_users(least: int) -> str:
    """Why the users of the smallest domain allow no verdict."""
    return f"{least} of {USERS} users" if least < USERS else ""


def verdict(difference: float, p: float, p_equivalent: float, alpha: float = ALPHA) -> Word:
    """The verdict of a difference that could be tested.

    In this order: equivalent where it lies within the margin (also where it is not zero: such a
    difference is real and does not matter); better or worse where it is not zero; else undecided.

    Args:
        difference: first minus baseline.
        p: of no difference, adjusted for the family.
        p_equivalent: of a difference of the margin or more, adjusted for the family.
        alpha: of the family.
    """
    if p_equivalent <= alpha:
        return "equivalent"
    if p <= alpha and difference:
        return "better" if difference > 0 else "worse"
    return "undecided"


def judge(
    tests: Sequence[Studentised | None], margins: Sequence[float], reasons: Sequence[str],
    alpha: float = ALPHA,
) -> list[Judgement]:  # fmt: skip
    """Verdicts of a family.

    Args:
        tests: all members; None where there is nothing to test.
        margins: the largest difference of each that does not matter, in the metric's units.
        reasons: why a member gets no verdict; empty where it may have one. Such a member stays in
            the family with p = 1: leaving it out would ease the others' tests.
        alpha: of the family.
    """
    judged = [None if why else test for test, why in zip(tests, reasons, strict=True)]
    p = [1.0 if t is None else t.p for t in judged]
    within = [
        1.0 if t is None else t.equivalence_p(m) for t, m in zip(judged, margins, strict=True)
    ]
    adjusted, adjusted_within = holm(p), holm(within)
    steps, steps_within = divisors(p), divisors(within)

    def judgement(n: int, test: Studentised) -> Judgement:
        word = verdict(test.difference, adjusted[n], adjusted_within[n], alpha)
        level = 1.0 - alpha / float((steps_within if word == "equivalent" else steps)[n])
        return Judgement(word, "", float(adjusted[n]), level, *test.interval(level))

    return [
        Judgement(NONE, why or "nothing to test") if test is None else judgement(n, test)
        for n, (test, why) in enumerate(zip(judged, reasons, strict=True))
    ]
