"""Several methods over several domains: mean ranks, and which methods cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.comparison import Question, look
from recmerge_bench.statistics.effects import SAME
from recmerge_bench.statistics.families import holm
from recmerge_bench.statistics.resampling import seed_weights, user_weights
from recmerge_bench.statistics.scores import Scores, Units, share_seeds
from recmerge_bench.statistics.verdicts import ALPHA

#: Friedman's and Nemenyi's approximations need about as many (Demšar, 2006).
DOMAINS = 8
#: Decimals of the means that are ranked: far finer than a difference that matters, far coarser than
#: rounding, so that methods that predict alike tie whatever the order of a sum was.
DIGITS = 12


@dataclass(frozen=True)
class MeanRanks:
    """Mean over the domains of each method's rank by its mean score, 1 is best, ties halved.

    Attributes:
        means: float64 [M].
        lower: float64 [M], of the two-level bootstrap: these domains, other seeds and users.
        upper: float64 [M].
    """

    means: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class Omnibus:
    """Friedman's test and Nemenyi's critical difference, or why there is none.

    Attributes:
        domains: number of domains.
        statistic: Friedman's chi square, corrected for ties; None below eight domains.
        p: of it; None likewise.
        critical_difference: mean ranks that differ by less cannot be told apart; None likewise.
        sentence: one for the board.
    """

    domains: int
    statistic: float | None
    p: float | None
    critical_difference: float | None
    sentence: str


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, 1 for the highest, ties in the middle: float64 [..., M]."""
    above = (values[..., None, :] > values[..., :, None]).sum(axis=-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    return above + (equal + 1) / 2


def mean_ranks(
    scores: Sequence[Scores], units: Units, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> MeanRanks:
    """Mean ranks with bootstrap intervals.

    Args:
        scores: of the methods, on the same instances.
        units: the instances.
        draws: number of draws of seeds and users.
        level: of the intervals.
        seed: of the draws. Methods with equally many seeds have the same seeds drawn.
    """
    means = np.stack([units.domain_means(s.values).mean(axis=0) for s in scores], axis=-1)
    drawn = np.stack(drawn_means(scores, units, draws, seed), axis=-1)
    means, drawn = means.round(DIGITS), drawn.round(DIGITS)
    tail = (1 - level) / 2
    low, high = np.quantile(ranks(drawn).mean(axis=1), [tail, 1 - tail], axis=0)
    return MeanRanks(ranks(means).mean(axis=0), low, high)


def drawn_means(
    scores: Sequence[Scores],
    units: Units,
    draws: int,
    seed: int,
    population: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Resampled means by domain of each method: a float64 [draws, D] each.

    Args:
        scores: of the methods, on the same instances.
        units: the instances.
        draws: number of draws of seeds and users.
        seed: of the draws.
        population: users that are drawn, ascending, those of `units` among them; these alone if
            not given.
    """
    if population is None:
        count, index = units.n_users, units.user_index
    else:
        count, index = len(population), np.searchsorted(population, units.users)
    rows = np.concatenate([s.values for s in scores])
    means = units.domain_means(rows)
    ends = np.cumsum([0] + [len(s.values) for s in scores])
    moved = np.empty((draws, len(rows), len(units.columns)))
    at = 0
    for weights in user_weights(count, draws, seed):
        here = slice(at, at + len(weights))
        at += len(weights)
        for d, columns in enumerate(units.columns):
            centred = rows[:, columns] - means[:, d, None]
            drawn = weights[:, index[columns]] @ centred.T
            moved[here, :, d] = means[:, d] + drawn / len(columns)
    drawn_means = []
    for n, scored in enumerate(scores):
        share = seed_weights(len(scored.values), draws, seed)
        drawn_means.append(np.einsum("bs,bsd->bd", share, moved[:, ends[n] : ends[n + 1]]))
    return drawn_means


def separated(
    scores: Sequence[Scores], units: Units,
    known: Mapping[tuple[int, int], float | None] | None = None, alpha: float = ALPHA,
) -> dict[tuple[int, int], bool | None]:  # fmt: skip
    """Which pairs are told apart: (first, second) -> whether; None where there is no verdict.

    A pair is told apart where the claim about the methods is significant after Holm's adjustment
    within the pair's family; one that predicts alike for every user is not.

    Args:
        scores: of the methods.
        units: the instances.
        known: pairs that stand in another family -> their p adjusted there; None: no verdict. The
            others are a family of their own.
        alpha: of each family.
    """
    known = known or {}
    verdicts: dict[tuple[int, int], bool | None] = {}
    tested: dict[tuple[int, int], float | None] = {}
    for place in combinations(range(len(scores)), 2):
        first, second = (scores[n] for n in place)
        verdicts[place] = None
        if alike(first, second):
            verdicts[place] = False
        elif place in known:
            verdicts[place] = _significant(known[place], known[place], alpha)
        elif share_seeds(first, second):
            tested[place] = _p(place, Question(first, second, units))
    # A pair without a test stays in the family: leaving it out would ease the others'.
    adjusted = holm([1.0 if p is None else p for p in tested.values()])
    for (place, p), within in zip(tested.items(), adjusted, strict=True):
        verdicts[place] = _significant(p, within, alpha)
    return verdicts


def _p(place: tuple[int, int], question: Question) -> float | None:
    test = look(place, question).about_methods
    return None if test is None else test.p


def _significant(p: float | None, adjusted: float | None, alpha: float) -> bool | None:
    """Whether an adjusted p is; None where there was no test."""
    return None if p is None or adjusted is None else bool(adjusted <= alpha)


def alike(first: Scores, second: Scores) -> bool:
    """Whether two methods do the same for every instance and seed."""
    if first.seeds != second.seeds or first.values.shape != second.values.shape:
        return False
    return bool(np.abs(first.values - second.values).max() <= SAME)


def groups(
    means: np.ndarray, apart: Mapping[tuple[int, int], bool | None], placed: Sequence[bool]
) -> list[list[int]]:
    """Maximal runs of methods, neighbours by mean rank, no two of which are told apart.

    A method is in no run where there is no verdict about it and another one that is `placed`: runs
    are formed of verdicts alone.

    Args:
        means: float [M], mean ranks.
        apart: from `separated`.
        placed: which methods may be in a run at all: those with seeds enough.

    Returns:
        Runs of method numbers, best first; runs may overlap.
    """
    there = [m for m in range(len(means)) if placed[m]]
    judged = [m for m in there if all(_apart(apart, m, o) is not None for o in there if o != m)]
    order = sorted(judged, key=lambda m: means[m])
    cliques: list[list[int]] = []
    longest = 0
    for start in range(len(order)):
        end = _run_end(order, start, apart)
        if end > longest:
            cliques.append(order[start:end])
            longest = end
    return cliques


def _run_end(order: Sequence[int], start: int, apart: Mapping[tuple[int, int], bool | None]) -> int:
    """Where the run ends that begins at `start`: before the first that is apart from one of it."""
    for end in range(start + 1, len(order)):
        if any(_apart(apart, order[end], other) for other in order[start:end]):
            return end
    return len(order)


def _apart(apart: Mapping[tuple[int, int], bool | None], one: int, other: int) -> bool | None:
    return apart[min(one, other), max(one, other)]


def omnibus(values: np.ndarray, alpha: float = ALPHA) -> Omnibus:
    """Friedman's test over the domains, from eight domains on.

    Args:
        values: float [D, M], mean score of each method in each domain.
        alpha: of Nemenyi's critical difference.

    Raises:
        HandledError: fewer than three methods.
    """
    domains, count = values.shape
    if count < 3:
        raise HandledError(f"Friedman's test compares three methods or more, not {count}")
    if domains < DOMAINS:
        sentence = f"too few domains for a Friedman test: {domains} of at least {DOMAINS}"
        return Omnibus(domains, None, None, None, sentence)
    statistic, p = friedman(values)
    difference = critical_difference(count, domains, alpha)
    sentence = f"Friedman's test over {domains} domains: chi square {statistic:.2f}, p {p:.2g}"
    return Omnibus(domains, statistic, p, difference, sentence)


def friedman(values: np.ndarray) -> tuple[float, float]:
    """Friedman's chi square with correction for ties, and its p: values are [D, M].

    Methods that tie in every domain have the statistic 0 and p 1.
    """
    from scipy.stats import friedmanchisquare

    placed = ranks(values)
    if (placed == placed[:, :1]).all():
        return 0.0, 1.0  # the correction for ties divides by zero there
    tested = friedmanchisquare(*placed.T)
    return float(tested.statistic), float(tested.pvalue)


def critical_difference(count: int, domains: int, alpha: float = ALPHA) -> float:
    """Nemenyi's critical difference of mean ranks (Demšar, 2006, eq. for CD)."""
    from scipy.stats import studentized_range

    quantile = studentized_range.ppf(1 - alpha, count, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(count * (count + 1) / (6 * domains)))
