"""Differences of a family: effects, both claims, and what is said of each within the family.

`compare` is the one place where verdicts are made: of boards, claims, the site, exports and
``leaderboard compare``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recmerge_bench.errors import HandledError
from recmerge_bench.statistics.claims import (
    Claim,
    Studentised,
    methods,
    of_methods,
    of_models,
    trained_models,
)
from recmerge_bench.statistics.components import Parts, take_apart
from recmerge_bench.statistics.effects import SAME, Effect, effect
from recmerge_bench.statistics.resampling import sign_flip, two_level_bootstrap
from recmerge_bench.statistics.scores import Pair, Scores, Units, pair
from recmerge_bench.statistics.verdicts import (
    ALPHA,
    MARGIN,
    Judgement,
    few_seeds,
    few_users,
    judge,
)

#: What a family calls its members.
Name = TypeVar("Name", bound=Hashable)
#: An error below this share of the largest difference is rounding.
ROUNDING = 1e-10


@dataclass(frozen=True)
class Settings:
    """What a family is compared with.

    Attributes:
        margin: share of the baseline's mean that does not matter.
        alpha: of the family.
        draws: of the two-level bootstrap; 0: none is made.
        flips: of the sign-flip test; 0: none is made.
        seed: of both.
    """

    margin: float = MARGIN
    alpha: float = ALPHA
    draws: int = 2000
    flips: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Question:
    """How one method differs from another, on the same instances.

    Attributes:
        first: the method.
        second: what it is compared with, the baseline.
        units: the instances.
    """

    first: Scores
    second: Scores
    units: Units


@dataclass(frozen=True)
class Comparison:
    """One method minus the baseline, of one metric; the mean over the domains.

    Attributes:
        first: the method's mean over the paired seeds.
        baseline: the baseline's.
        difference: first minus baseline.
        relative: difference over the baseline's mean; None where that is 0.
        seeds: the paired seeds; () where neither method depends on one.
        users: number of users.
        trained_models: claim about these trained models, for this row alone; None where the users
            are too few or all differ alike: nothing is said that has no width.
        methods: claim about the methods, for this row alone; None as there, and where a method
            depends on a seed and there is one seed only.
        sign_flip: p of the cross-check of `trained_models`; None as there.
        bootstrap: interval of the two-level bootstrap, beside `methods`; None as `trained_models`.
        effect: over users, seeds averaged.
        about_methods: what is said of the methods within the family.
        about_models: what is said of these trained models within the family.
    """

    first: float
    baseline: float
    difference: float
    relative: float | None
    seeds: tuple[Hashable, ...]
    users: int
    trained_models: Claim | None
    methods: Claim | None
    sign_flip: float | None
    bootstrap: tuple[float, float] | None
    effect: Effect
    about_methods: Judgement
    about_models: Judgement


@dataclass(frozen=True)
class Observed:
    """A question's pair and what varies in it.

    Attributes:
        units: the instances.
        pair: both methods, seed by seed.
        parts: of the difference; None where nothing can be tested.
        reason: why not; else empty.
    """

    units: Units
    pair: Pair
    parts: Parts | None
    reason: str

    @property
    def no_verdict(self) -> str:
        """Why there is none about the methods; empty where there may be one."""
        too_few = few_seeds(len(self.pair.seeds), self.pair.seeded)
        still = "" if self.reason or self.varies else "nothing varies over seeds and users"
        return ", ".join(filter(None, (too_few, self.reason, still)))

    @property
    def varies(self) -> bool:
        """Whether the difference has a spread over seeds and users together."""
        if self.parts is None:
            return False
        scale = np.abs(self.pair.first - self.pair.second).max()
        return bool(np.sqrt(self.parts.components.variance) > ROUNDING * scale)

    @property
    def about_models(self) -> Studentised | None:
        """What is tested of these trained models."""
        return None if self.parts is None else of_models(self.parts.components)

    @property
    def about_methods(self) -> Studentised | None:
        """What is tested of the methods."""
        return None if self.parts is None or self.no_verdict else of_methods(self.parts.components)

    @property
    def claims(self) -> tuple[Claim | None, Claim | None]:
        """About these models and about the methods, each by itself."""
        if self.parts is None:
            return None, None
        components, one = self.parts.components, self.pair.seeded and len(self.pair.seeds) == 1
        models = plain(trained_models(components))
        return models, None if one or not self.varies else plain(methods(components))


def compare_family(
    family: Mapping[str, Scores], baseline: Scores, units: Units, settings: Settings | None = None
) -> dict[str, Comparison]:
    """Compare each method with one baseline; the methods are the family.

    Args:
        family: name -> scores. All that were declared, not those that look best.
        baseline: the baseline that was declared.
        units: instances of all of them.
        settings: see there.

    Raises:
        HandledError: a method was ranked on other instances or shares no seed with the baseline.
    """
    questions = {name: Question(scores, baseline, units) for name, scores in family.items()}
    return compare(questions, settings)


def compare(
    family: Mapping[Name, Question], settings: Settings | None = None
) -> dict[Name, Comparison]:
    """Compare the pairs of a family and judge them together.

    Args:
        family: all members, each with a name.
        settings: see there.

    Raises:
        HandledError: the two of a pair were ranked on other instances or share no seed.
    """
    settings = settings or Settings()
    observed = {name: look(name, question) for name, question in family.items()}
    ends, flips = _resampled(observed, settings)
    seen = list(observed.values())
    margins = [settings.margin * abs(_mean(one.pair.second, one.units)) for one in seen]
    about_models = judge(
        [o.about_models for o in seen], margins, [o.reason for o in seen], settings.alpha
    )
    about_methods = judge(
        [o.about_methods for o in seen], margins, [o.no_verdict for o in seen], settings.alpha
    )
    return {
        name: _comparison(one, ends.get(name), flips.get(name), *judgements)
        for (name, one), *judgements in zip(
            observed.items(), about_methods, about_models, strict=True
        )
    }


def _mean(values: np.ndarray, units: Units) -> float:
    return float(units.mean(values.mean(axis=0)))


def look(name: object, question: Question) -> Observed:
    """Pair the two of a question and see what varies.

    Raises:
        HandledError: they were ranked on other instances or share no seed.
    """
    units = question.units
    try:
        both = pair(question.first, question.second)
    except HandledError as error:
        raise HandledError(f"{name} and the baseline: {error}") from None
    if both.first.shape[1] != len(units.domains):
        raise HandledError(
            f"{name}: values of {both.first.shape[1]} instances, there are {len(units.domains)}"
        )
    few = few_users(units.least)
    if few:
        return Observed(units, both, None, few)
    difference = both.first - both.second
    parts = take_apart(difference, units)
    averaged = difference.mean(axis=0)
    if np.abs(averaged).max() <= SAME:
        return Observed(units, both, None, "no user differs")
    if np.sqrt(parts.components.users) <= ROUNDING * np.abs(averaged).max():
        return Observed(units, both, None, "every user differs alike")
    return Observed(units, both, parts, "")


def _resampled(
    observed: Mapping[Name, Observed], settings: Settings
) -> tuple[dict[Name, tuple[float, float]], dict[Name, float]]:
    """Bootstrap intervals and sign-flip p, drawn together for all pairs on the same instances."""
    ends: dict[Name, tuple[float, float]] = {}
    flips: dict[Name, float] = {}
    for units in {id(one.units): one.units for one in observed.values()}.values():
        parts = _parts(observed, units)
        if parts and settings.draws:
            ends |= _intervals(parts, settings)
        if parts and settings.flips:
            flips |= _flips({name: observed[name].pair for name in parts}, units, settings)
    return ends, flips


def _parts(observed: Mapping[Name, Observed], units: Units) -> dict[Name, Parts]:
    """Those of the pairs on these instances that there is something to test of."""
    own = {name: one.parts for name, one in observed.items() if one.units is units}
    return {name: parts for name, parts in own.items() if parts is not None}


def _intervals(parts: Mapping[Name, Parts], settings: Settings) -> dict[Name, tuple[float, float]]:
    drawn = two_level_bootstrap(list(parts.values()), settings.draws, seed=settings.seed)
    return {name: (float(low), float(high)) for name, (low, high) in zip(parts, drawn, strict=True)}


def _flips(pairs: Mapping[Name, Pair], units: Units, settings: Settings) -> dict[Name, float]:
    shares = np.stack([_contributions(both, units) for both in pairs.values()])
    signs = sign_flip(shares, settings.flips, settings.seed)
    return {name: float(p) for name, p in zip(pairs, signs, strict=True)}


def _comparison(
    observed: Observed, interval: tuple[float, float] | None, flip: float | None,
    about_methods: Judgement, about_models: Judgement,
) -> Comparison:  # fmt: skip
    units, both = observed.units, observed.pair
    base = _mean(both.second, units)
    averaged = (both.first - both.second).mean(axis=0)
    difference = float(units.mean(averaged))
    return Comparison(
        _mean(both.first, units), base, difference, difference / base if base else None, both.seeds,
        units.n_users, *observed.claims, flip, interval, effect(averaged, units), about_methods,
        about_models,
    )  # fmt: skip


def _contributions(both: Pair, units: Units) -> np.ndarray:
    """What each user adds to the difference, float64 [G]."""
    shares = np.empty(len(units.domains))
    for columns in units.columns:
        shares[columns] = 1.0 / (len(columns) * len(units.columns))
    return units.by_user((both.first - both.second).mean(axis=0) * shares)


def plain(claim: Claim) -> Claim:
    """A claim of Python's own numbers."""
    return Claim(*(float(v) for v in vars(claim).values()))
