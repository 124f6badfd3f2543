"""How much of a reference's mean is lost: relative losses, resampled and judged as a family.

A loss is ``1 - kept / reference``, of two means over the domains that the same users and seeds are
behind. Its interval is that of the two-level bootstrap (`recmerge_bench.statistics.resampling`):
both means are drawn together and divided in every draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recmerge_bench.statistics.across import DIGITS
from recmerge_bench.statistics.claims import LEVEL, Studentised, of_methods
from recmerge_bench.statistics.components import Components, Parts, combined, take_apart
from recmerge_bench.statistics.resampling import bootstrap_draws
from recmerge_bench.statistics.scores import Pair, Units
from recmerge_bench.statistics.verdicts import ALPHA, Judgement, few_seeds, few_users, judge

DRAWS = 1000
#: Means whose draws are held at once: some 100 MB with 50,000 users and five seeds.
_TOGETHER = 32
#: A standard error of a loss below this is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Loss:
    """What is lost of a reference's mean.

    Attributes:
        kept: mean over the domains, seeds averaged.
        reference: likewise.
        loss: 1 - kept / reference; None where the reference's mean is 0.
        lower: of the interval of 95 %; None where there is none: fewer than 30 users of a domain,
            a reference that is not above 0 in every draw.
        upper: of it.
    """

    kept: float
    reference: float
    loss: float | None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Excess:
    """A loss on some instances beside that on the others.

    Attributes:
        some: loss on these instances.
        others: on all others.
        excess: loss on these minus loss on the others; None where one of them is unknown.
        lower: of its interval of 95 %, of this row alone.
        upper: of it.
        judgement: of the excess within its family; ``better`` means above 0.
    """

    some: Loss
    others: Loss
    excess: float | None
    lower: float | None
    upper: float | None
    judgement: Judgement


def losses(
    pairs: Sequence[Pair], units: Units, draws: int = DRAWS, seed: int = 0
) -> list[Loss]:  # fmt: skip
    """Losses of each pair's first against its second, over all instances.

    Args:
        pairs: of the same instances.
        units: the instances.
        draws: of seeds and users.
        seed: of the draws.
    """
    everywhere, found = np.ones(len(units.domains), bool), []
    for some in _chunks(pairs, _TOGETHER // 2):
        means = [mean for p in some for mean in _means(p, units, everywhere)]
        drawn = _drawn(means, draws, seed)
        found += [_loss(means[n : n + 2], drawn[n : n + 2]) for n in range(0, len(means), 2)]
    return found


def excesses(
    pairs: Sequence[Pair], units: Units, rows: np.ndarray, margin: float,
    draws: int = DRAWS, seed: int = 0, alpha: float = ALPHA,
) -> list[Excess]:  # fmt: skip
    """Losses on some instances beside those on the others; the pairs are a family.

    The judgement is that of the project's other differences (resampling seeds and users, Holm
    within the family), of the excess as a linear function of its four means (delta method).

    Args:
        pairs: of the same instances.
        units: the instances.
        rows: bool [T], which instances.
        margin: an excess that does not matter.
        draws: of seeds and users, for the intervals.
        seed: of the draws.
        alpha: of the family.
    """
    fours: list[tuple[list[_Mean], list[np.ndarray | None]]] = []
    seen: list[tuple[Studentised | None, str]] = []
    for some in _chunks(pairs, _TOGETHER // 4):
        for both, (four, drawn) in zip(some, _fours(some, units, rows, draws, seed), strict=True):
            seen.append(_observed(both, four))
            fours.append(([replace(mean, parts=None) for mean in four], drawn))
    judged = judge([t for t, _ in seen], [margin] * len(seen), [why for _, why in seen], alpha)
    return [_excess(four, own, said) for (four, own), said in zip(fours, judged, strict=True)]


def _chunks(pairs: Sequence[Pair], size: int) -> Iterator[Sequence[Pair]]:
    """So many pairs at a time: parts of all users are large."""
    return (pairs[start : start + size] for start in range(0, len(pairs), size))


def _fours(
    pairs: Sequence[Pair], units: Units, rows: np.ndarray, draws: int, seed: int
) -> list[tuple[list[_Mean], list[np.ndarray | None]]]:
    """First and second on these instances, then on the others, with their draws."""
    means = [mean for p in pairs for part in (rows, ~rows) for mean in _means(p, units, part)]
    drawn = _drawn(means, draws, seed)
    return [(means[n : n + 4], drawn[n : n + 4]) for n in range(0, len(means), 4)]


@dataclass(frozen=True)
class _Mean:
    """A mean over the domains of some instances; `parts` is None where users are too few."""

    value: float
    parts: Parts | None
    reason: str


def _means(both: Pair, units: Units, rows: np.ndarray) -> tuple[_Mean, _Mean]:
    """Of the pair's first and of its second, on these instances."""
    if not rows.any():
        none = _Mean(0.0, None, few_users(0))
        return none, none
    own = units.take(rows)
    few = few_users(own.least)
    made = []
    for values in (both.first[:, rows], both.second[:, rows]):
        value = float(own.mean(values.mean(axis=0)))
        made.append(
            _Mean(value, None if few else _of_all(take_apart(values, own), own, units), few)
        )
    return made[0], made[1]


def _of_all(parts: Parts, own: Units, units: Units) -> Parts:
    """The parts with a column for each user of `units`: those of no instance add nothing."""
    users = np.zeros((len(parts.by_seed), units.n_users))
    users[:, np.searchsorted(np.unique(units.users), np.unique(own.users))] = parts.by_user
    return Parts(parts.by_seed, users, parts.components)


def _drawn(means: Sequence[_Mean], draws: int, seed: int) -> list[np.ndarray | None]:
    """Draws of each mean, float64 [draws], the same seeds and users for all."""
    known = [n for n, mean in enumerate(means) if mean.parts is not None]
    drawn: list[np.ndarray | None] = [None] * len(means)
    parts = [mean.parts for mean in means if mean.parts is not None]
    if parts:
        for n, row in zip(known, bootstrap_draws(parts, draws, seed, LEVEL), strict=True):
            drawn[n] = row
    return drawn


def _ratio(kept: np.ndarray | None, reference: np.ndarray | None) -> np.ndarray | None:
    """Drawn losses; None where a draw has none."""
    if kept is None or reference is None or (reference <= 0).any():
        return None
    return np.round(1.0 - kept / reference, DIGITS) + 0.0  # no -0.0


def _ends(drawn: np.ndarray | None) -> tuple[float | None, float | None]:
    """Percentile interval of 95 %."""
    if drawn is None:
        return None, None
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _loss(means: Sequence[_Mean], drawn: Sequence[np.ndarray | None]) -> Loss:
    """Of a kept mean and the reference's."""
    kept, reference = means
    if reference.value <= 0:
        return Loss(kept.value, reference.value, None)
    loss = 1.0 - kept.value / reference.value
    return Loss(kept.value, reference.value, loss, *_ends(_ratio(*drawn)))


def _excess(
    four: Sequence[_Mean], drawn: Sequence[np.ndarray | None], judgement: Judgement
) -> Excess:
    some, others = _loss(four[:2], drawn[:2]), _loss(four[2:], drawn[2:])
    if some.loss is None or others.loss is None:
        return Excess(some, others, None, None, None, judgement)
    one, other = _ratio(drawn[0], drawn[1]), _ratio(drawn[2], drawn[3])
    ends = _ends(None if one is None or other is None else one - other)
    return Excess(some, others, some.loss - others.loss, *ends, judgement)


def _observed(both: Pair, four: Sequence[_Mean]) -> tuple[Studentised | None, str]:
    """What is tested of an excess, and why there is no verdict."""
    reasons = [few_seeds(len(both.seeds), both.seeded), *dict.fromkeys(m.reason for m in four)]
    if any(m.value <= 0 for m in (four[1], four[3])):
        reasons.append("the reference is 0")
    reason = ", ".join(dict.fromkeys(filter(None, reasons)))
    if reason:
        return None, reason
    components = _components(four)
    if components is None or np.sqrt(components.variance) <= _ROUNDING:
        return None, "nothing varies over seeds and users"
    return of_methods(components), ""


def _components(four: Sequence[_Mean]) -> Components | None:
    """Of the excess, linear in its four means: d(1 - k / r) = -dk / r + k dr / r²."""
    parts = [m.parts for m in four if m.parts is not None]
    if len(parts) < len(four):
        return None
    weights, value = [], 0.0
    for sign, kept, reference in ((1.0, four[0], four[1]), (-1.0, four[2], four[3])):
        share = kept.value / reference.value
        weights += [-sign / reference.value, sign * share / reference.value]
        value += sign * (1.0 - share)
    return combined(parts, weights, value)
