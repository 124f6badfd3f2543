"""How large a difference is for single users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recmerge_bench.statistics.scores import Units

#: Averages over seeds that differ by less are ties: rounding leaves such rests.
SAME = 1e-12


@dataclass(frozen=True)
class Effect:
    """Effect of a difference over users.

    Attributes:
        dz: Cohen's dz, mean over standard deviation of the users' differences (of several
            domains: of the mean over the domains, deviations within domains); None where all
            users differ alike or a domain has one instance.
        wins: instances where the first is better, seeds averaged.
        ties: instances where both are equal.
        losses: instances where the first is worse.
    """

    dz: float | None
    wins: int
    ties: int
    losses: int


def effect(difference: np.ndarray, units: Units) -> Effect:
    """Effect of first minus second.

    Args:
        difference: float64 [T], averaged over the seeds.
        units: the T instances.
    """
    several = min(map(len, units.columns)) > 1
    spread = np.mean([difference[c].var(ddof=1) for c in units.columns]) if several else 0.0
    wins, losses = int((difference > SAME).sum()), int((difference < -SAME).sum())
    dz = float(units.mean(difference) / np.sqrt(spread)) if spread > SAME**2 else None
    return Effect(dz, wins, len(difference) - wins - losses, losses)
