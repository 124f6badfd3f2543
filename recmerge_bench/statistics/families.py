"""What is tested together, and Holm's adjustment for it: the one family rule.

A family is what a reader looks at together and picks from. Within a family the chance of any false
"better" or "worse" is at most 5 %, and so is that of any false "equivalent".

1. **A table against its baseline.** All rows of one table (a track under a protocol), on all its
   backbones, each minus the declared baseline of its backbone, in the board's first metric. Rows
   that can have no verdict (too few seeds or users, nothing that varies) stay members.
2. **Claims of a page.** A published claim about a pair that stands in a family of the first kind
   is that comparison: its verdict, p and interval are the board's, with the sign turned where the
   claim names the baseline first. All other claims of the page are one family.
3. **Groups of a table.** Which rows cannot be told apart: a pair that stands in the table's family
   of the first kind is told apart as there; all other pairs of the table are one family.
   Rows of a backbone whose naive gate is not passed are in none of these families: nothing is said
   of them (`recmerge_bench.results.gates`).
4. **Two records of a suite** (``leaderboard compare``): all rows and metrics that moved.

Each family is judged twice, by the same rule: about the methods (resampling seeds and users) and
about these trained models (resampling users). The intervals that are printed as behind the verdict
are those of Holm's levels: where p is tested at 5 % / k, the interval has the level 1 - 5 % / k
(as Serlin, 1993, Journal of Experimental Education 61), so that it leaves out zero exactly where
the adjusted p is at most 5 %. Equivalence is tested likewise: two one-sided tests (Schuirmann,
1987) at half the level each, adjusted over the same members.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment (1979): float64 [m]; no assumption of independence.

    Rejecting where it is at most alpha keeps the chance of any false rejection in the family at
    most alpha.

    Raises:
        ValueError: a p-value outside [0, 1].
    """
    return np.minimum(np.asarray(p, np.float64) * divisors(p), 1.0)


def divisors(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """What Holm divides alpha by for each: float64 [m], from 1 to m.

    The plain step's m - j + 1, or more where a smaller p, at its own step, is not rejected before.

    Raises:
        ValueError: a p-value outside [0, 1].
    """
    values = np.asarray(p, np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"p-values lie between 0 and 1: {values.tolist()}")
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    steps = np.arange(len(values), 0, -1).astype(np.float64)
    reached = np.maximum.accumulate(ordered * steps)
    np.divide(reached, ordered, out=steps, where=ordered > 0)
    by_place = np.empty(len(values))
    by_place[order] = steps
    return by_place
