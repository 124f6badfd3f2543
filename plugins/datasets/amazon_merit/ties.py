"""Which of a user's events of one time comes first: what day-granular times leave open."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from recmerge_bench.api import Interactions
from recmerge_bench.toolkit.seeds import philox

TieBreak = Literal["asin", "random", "drop_tied_last_day"]


def break_ties(interactions: Interactions, rule: TieBreak, seed: int = 0) -> Interactions:
    """Order events of one user and time by a rule, and count the ties.

    Args:
        interactions: the events; the catalogue is left as it is.
        rule: ``asin``: as they stand (for MERIT's data: the first domain before the second, then
            ascending raw ids); ``random``: shuffled, every order being as likely;
            ``drop_tied_last_day``: as they stand, without the users whose last two events have
            the same time (whose test target hangs on the rule).
        seed: of the shuffle, not negative. The order does not depend on the version of numpy.
    """
    owners = np.repeat(np.arange(interactions.n_users), np.diff(interactions.offsets))
    times = np.asarray(interactions.times)
    tied = (np.diff(owners) == 0) & (np.diff(times) == 0)
    last_tied = tied_last(interactions)
    report = {
        **interactions.report,
        "neighbours_of_one_time": int(tied.sum()),
        "users_with_a_tied_last_event": int(last_tied.sum()),
    }
    if rule == "random":
        chance = philox(seed).random_raw(len(times))
        order = np.lexsort((chance, times, owners))
        return replace(interactions, items=interactions.items[order], report=report)
    if rule == "drop_tied_last_day":
        return _without_users(replace(interactions, report=report), last_tied)
    return replace(interactions, report=report)


def tied_last(interactions: Interactions) -> np.ndarray:
    """Whether a user's last two events have the same time: bool [U]."""
    ends = interactions.offsets[1:]
    several = np.diff(interactions.offsets) >= 2
    tied = np.zeros(interactions.n_users, bool)
    times = interactions.times
    tied[several] = times[ends[several] - 1] == times[ends[several] - 2]
    return tied


def _without_users(interactions: Interactions, drop: np.ndarray) -> Interactions:
    lengths = np.diff(interactions.offsets)
    events = np.repeat(~drop, lengths)
    return replace(
        interactions,
        offsets=np.concatenate([[0], np.cumsum(lengths[~drop])]).astype(np.int64),
        items=interactions.items[events],
        times=interactions.times[events],
        user_tokens=[u for u, out in zip(interactions.user_tokens, drop, strict=True) if not out],
        report={**interactions.report, "users_dropped_for_a_tied_last_event": int(drop.sum())},
    )
