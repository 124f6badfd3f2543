"""A family of methods beside one baseline: both claims, effects, Holm, verdicts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.claims import Claim, methods, trained_models
from recmerge_bench.statistics.components import Parts, take_apart
from recmerge_bench.statistics.effects import Effect, effect
from recmerge_bench.statistics.families import holm
from recmerge_bench.statistics.resampling import sign_flip, two_level_bootstrap
from recmerge_bench.statistics.scores import Pair, Scores, Units, pair
from recmerge_bench.statistics.verdicts import ALPHA, MARGIN, Verdict, verdict


@dataclass(frozen=True)
class Settings:
    """What a family is compared with.

    Attributes:
        margin: share of the baseline's mean that does not matter.
        alpha: of the family.
        draws: of the two-level bootstrap.
        flips: of the sign-flip test.
        seed: of both.
    """

    margin: float = MARGIN
    alpha: float = ALPHA
    draws: int = 2000
    flips: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """One method minus the baseline, of one metric; the mean over the domains.

    Attributes:
        first: the method's mean over the paired seeds.
        baseline: the baseline's.
        relative: difference over the baseline's mean; None where that is 0.
        seeds: the paired seeds; () where neither method depends on one.
        users: number of users.
        trained_models: claim about these trained models.
        methods: claim about the methods, not adjusted; None where a method depends on a seed
            and there is one seed only.
        sign_flip: p of the cross-check of `trained_models`.
        bootstrap: interval of the two-level bootstrap, beside `methods`.
        effect: over users, seeds averaged.
        p_holm: p of `methods`, adjusted within the family; None as there.
        verdict: follows `methods` and `p_holm`.
    """

    first: float
    baseline: float
    relative: float | None
    seeds: tuple[Hashable, ...]
    users: int
    trained_models: Claim
    methods: Claim | None
    sign_flip: float
    bootstrap: tuple[float, float]
    effect: Effect
    p_holm: float | None
    verdict: Verdict


def compare_family(
    family: Mapping[str, Scores], baseline: Scores, units: Units, settings: Settings | None = None
) -> dict[str, Comparison]:
    """Compare each method with the baseline; the family is what Holm adjusts for.

    Args:
        family: name -> scores. All that were declared, not those that look best.
        baseline: the baseline that was declared.
        units: instances of all of them.
        settings: see there.

    Raises:
        HandledError: a method was ranked on other instances or shares no seed with the baseline.
    """
    if not family:
        return {}
    settings = settings or Settings()
    pairs = {name: _paired(name, scores, baseline, units) for name, scores in family.items()}
    parts = [take_apart(p.first - p.second, units) for p in pairs.values()]
    intervals = two_level_bootstrap(parts, settings.draws, seed=settings.seed)
    flips = sign_flip(
        np.stack([_contributions(p, units) for p in pairs.values()]), settings.flips, settings.seed
    )
    claims = [_methods(p, q) for p, q in zip(pairs.values(), parts, strict=True)]
    # A method without a claim stays in the family: leaving it out would ease the others' test.
    adjusted = holm([1.0 if c is None else c.p for c in claims])
    found = {}
    for n, (name, both) in enumerate(pairs.items()):
        ends = (float(intervals[n, 0]), float(intervals[n, 1]))
        found[name] = _comparison(
            both, units, parts[n], claims[n], float(flips[n]), ends, float(adjusted[n]), settings
        )
    return found


def _paired(name: str, scores: Scores, baseline: Scores, units: Units) -> Pair:
    try:
        both = pair(scores, baseline)
    except HandledError as error:
        raise HandledError(f"{name} and the baseline: {error}") from None
    if both.first.shape[1] != len(units.domains):
        raise HandledError(
            f"{name}: values of {both.first.shape[1]} instances, there are {len(units.domains)}"
        )
    return both


def _comparison(
    both: Pair, units: Units, parts: Parts, claim: Claim | None, flip: float,
    interval: tuple[float, float], adjusted: float, settings: Settings,
) -> Comparison:  # fmt: skip
    mine, base = (float(units.mean(v.mean(axis=0))) for v in (both.first, both.second))
    difference = (both.first - both.second).mean(axis=0)
    decided: Verdict = "undecided"
    if claim is not None:
        decided = verdict(
            claim.lower, claim.upper, adjusted, settings.margin * abs(base), len(both.seeds),
            both.seeded, settings.alpha,
        )  # fmt: skip
    return Comparison(
        mine, base, float(units.mean(difference)) / base if base else None, both.seeds,
        units.n_users, plain(trained_models(parts.components)), claim, flip, interval,
        effect(difference, units), adjusted if claim else None, decided,
    )  # fmt: skip


def _methods(both: Pair, parts: Parts) -> Claim | None:
    one = both.seeded and len(both.seeds) == 1
    return None if one else plain(methods(parts.components))


def _contributions(both: Pair, units: Units) -> np.ndarray:
    """What each user adds to the difference, float64 [G]."""
    shares = np.empty(len(units.domains))
    for columns in units.columns:
        shares[columns] = 1.0 / (len(columns) * len(units.columns))
    return units.by_user((both.first - both.second).mean(axis=0) * shares)


def plain(claim: Claim) -> Claim:
    """A claim of Python's own numbers."""
    return Claim(*(float(v) for v in vars(claim).values()))
