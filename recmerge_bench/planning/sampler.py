"""Where optuna stands: it draws the next setting from those that were tried and their values.

A study is made anew for each drawing, in memory: what was tried lies in the store, as cells. The
drawing depends on the space, the seed, its number and the values before it, and on nothing else.
optuna is imported here alone; the process's logging, warnings and random states are left as they
were.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from recmerge_bench.planning.keys import digest
from recmerge_bench.planning.spaces import Axis, Space
from recmerge_bench.seeds import generator

#: The distribution behind searches.
PACKAGE = "optuna"


def drawn_with() -> str:
    """The package and its version."""
    return f"{PACKAGE} {version(PACKAGE)}"


#: Numbers on the axes, and the value there; higher is better.
Tried = Sequence[tuple[Mapping[str, int], float]]
#: What was drawn before in this process: a run makes its plan again after every trial.
_DRAWN: dict[str, dict[str, int]] = {}
_REMEMBERED = 10_000


def draw(space: Space, seed: int, number: int, again: int, tried: Tried) -> dict[str, int]:
    """The numbers of the next setting on each axis.

    Args:
        space: of settings.
        seed: of the search.
        number: of the drawing, from 0.
        again: how many times this one was drawn before and not taken.
        tried: the settings so far; none: at random.
    """
    axes = [(axis.place, axis.count, axis.span is None) for axis in space.axes]
    key = digest([axes, seed, number, again, [[dict(places), value] for places, value in tried]])
    if key not in _DRAWN:
        if len(_DRAWN) >= _REMEMBERED:
            _DRAWN.clear()
        random = int(generator(seed, "search", number, again).integers(2**32))
        with _quiet():
            _DRAWN[key] = _drawn(space, random, tried)
    return dict(_DRAWN[key])


def _drawn(space: Space, seed: int, tried: Tried) -> dict[str, int]:
    import optuna

    sampler = (
        optuna.samplers.TPESampler(seed=seed, n_startup_trials=0)
        if tried
        else optuna.samplers.RandomSampler(seed=seed)
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    axes = {axis.place: _distribution(axis) for axis in space.axes}
    for places, value in tried:
        study.add_trial(
            optuna.trial.create_trial(params=dict(places), distributions=axes, value=value)
        )
    return {name: int(place) for name, place in study.ask(axes).params.items()}


def _distribution(axis: Axis) -> Any:
    """Numbers of an axis; those of a list stand in no order."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if axis.span is None:
        return CategoricalDistribution(list(range(axis.count)))
    return IntDistribution(0, axis.count - 1)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without optuna's messages, and with the process's logging as it was."""
    logger = logging.getLogger(PACKAGE)
    level, handlers, spreads = logger.level, list(logger.handlers), logger.propagate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            yield
        finally:
            logger.setLevel(level)
            logger.handlers[:] = handlers
            logger.propagate = spreads
